"""What a reader says when a body is not what its answer calls it."""

from __future__ import annotations


class UnreadableError(ValueError):
    """The body is not of this format; the message begins with `not` and the format's name."""
