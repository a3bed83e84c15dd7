"""What a worker and its process beside it say to each other: pickles, each behind its length.

Both are the same program, and nobody else has the ends of their pipes.
"""

from __future__ import annotations

import io
import pickle
import struct
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Final

LENGTH: Final = struct.Struct(">Q")


class Ended(Enum):
    """How a piece of work ended; with it comes its value, a reason, or the text of the failure."""

    DONE = "done"
    NOT_COMPARABLE = "not_comparable"
    FAILED = "failed"


class _Pickler(pickle.Pickler):
    """Writes dataclasses down as calls: what is frozen and compiled cannot be given its state."""

    def reducer_override(self, value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return type(value), tuple(getattr(value, field.name) for field in fields(value))
        return NotImplemented


def framed(said: Any) -> bytes:
    """Give the bytes of something said."""
    data = io.BytesIO()
    _Pickler(data, pickle.HIGHEST_PROTOCOL).dump(said)
    return LENGTH.pack(data.tell()) + data.getvalue()


def said_in(data: bytes) -> Any:
    """Give what the bytes behind a length say."""
    return pickle.loads(data)  # noqa: S301 - from our own process, by a pipe of our own
