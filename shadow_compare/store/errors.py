"""The one error that leaves the store."""

from __future__ import annotations


class StoreError(Exception):
    """The database cannot be used just now; the text says why, and repeating later is safe."""
