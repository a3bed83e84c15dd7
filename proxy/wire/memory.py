"""What pure functions of bytes have given lately: bounded, and only for what comes again.

Clients repeat their lines and heads on every request, and applications their answers, so that most
of reading is looking up. What comes once and never again, as a head with a user's cookie in it,
must leave nothing behind: neither objects for the garbage collector to walk over, nor the time that
it takes to keep them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_DOOR: Final = 4096
"""Slots of the doorkeeper, a power of two: so many keys ago a key may have come to be known."""


class Remembered(Generic[T]):
    """A pure function of bytes with a bounded memory: look up with `[]`.

    What is asked for a second time is kept; when full, all is forgotten, which costs a hostile
    client nothing but its own cache misses. Long keys, and results that are None, are computed and
    not kept.

    Who came once is known by one octet of his hash in a slot that the rest of it names. One
    stranger in 255 is taken for somebody who was here, and kept for nothing; in exchange strangers
    leave no object behind.
    """

    __slots__ = ("_compute", "_door", "_known", "_longest", "keep")

    def __init__(self, compute: Callable[[bytes], T], keep: int = 4096, longest: int = 512) -> None:
        """Remember at most `keep` results of `compute`, of keys up to `longest` octets."""
        self._compute: Final = compute
        self._longest: Final = longest
        self._door: Final = bytearray(_DOOR)
        self._known: Final[dict[bytes, T]] = {}
        self.keep: Final = keep

    def __getitem__(self, key: bytes) -> T:
        """Give the function's value; raises what the function raises."""
        found = self._known.get(key)
        if found is not None:
            return found
        value = self._compute(key)
        if len(key) <= self._longest and value is not None:
            self._note(key, value)
        return value

    def __len__(self) -> int:
        """How many results are kept."""
        return len(self._known)

    def __contains__(self, key: bytes) -> bool:
        """Whether the result for this key is kept."""
        return key in self._known

    def clear(self) -> None:
        """Forget all."""
        self._known.clear()
        self._door[:] = bytes(_DOOR)

    def _note(self, key: bytes, value: T) -> None:
        known = hash(key) & 0xFFFFFFF
        slot, mark = known & (_DOOR - 1), (known >> 12) % 255 + 1
        door = self._door
        if door[slot] != mark:
            door[slot] = mark
            return
        if len(self._known) >= self.keep:
            self._known.clear()
        self._known[key] = value
