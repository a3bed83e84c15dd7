"""How the network may cut bytes: chosen from the bytes, so that an input is one case for ever."""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator
from typing import Final

from tests.support_wire import Pieces, byte_by_byte, cut

_SHORT: Final = 40
"""Bytes of what is also given one by one; of longer messages that would be most of the time."""


def splits(data: bytes) -> Iterator[Pieces]:
    """Give a few ways in which these bytes may arrive, other than all at once."""
    chance = random.Random(zlib.crc32(data))
    if len(data) <= _SHORT:
        yield byte_by_byte(data)
    for pieces in (2, 9):
        yield cut(data, [chance.randint(0, len(data)) for _ in range(pieces - 1)])
