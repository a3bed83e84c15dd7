"""Making any text fit for storing and showing (pure)."""

from __future__ import annotations


def storable(text: str) -> str:
    """Make a text fit for every database: no lone surrogates, no NUL (PostgreSQL refuses it)."""
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\N{SYMBOL FOR NULL}")


def shortened(text: str, most: int) -> str:
    """Cut a text to so many characters, and show that it was cut."""
    return text if len(text) <= most else f"{text[:most]}…"
