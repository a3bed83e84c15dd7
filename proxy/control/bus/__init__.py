"""How the controller and its workers talk: interfaces in `base`, one module per way of doing it."""
