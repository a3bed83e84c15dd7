"""What a worker and its process beside it say to each other: pickles, each behind its length.

Both are the same program, and nobody else has the ends of their pipes.
"""

from __future__ import annotations

import pickle
import struct
from enum import Enum
from typing import Any, Final

LENGTH: Final = struct.Struct(">Q")


class Ended(Enum):
    """How a piece of work ended; with it comes its value, a reason, or the text of the failure."""

    DONE = "done"
    NOT_COMPARABLE = "not_comparable"
    FAILED = "failed"


def framed(said: Any) -> bytes:
    """Give the bytes of something said."""
    data = pickle.dumps(said, pickle.HIGHEST_PROTOCOL)
    return LENGTH.pack(len(data)) + data


def said_in(data: bytes) -> Any:
    """Give what the bytes behind a length say."""
    return pickle.loads(data)  # noqa: S301 - from our own process, by a pipe of our own
