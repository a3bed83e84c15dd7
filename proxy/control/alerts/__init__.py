"""Telling people elsewhere: the words in `message`, how they look in `shapes`, who in `targets`."""
