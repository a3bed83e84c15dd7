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

    What is asked for a second time is kept; when full, the oldest makes room, one for one: to
    forget two thousand heads at once takes milliseconds, in which nobody is served. Long keys, and
    results that are None, are computed and not kept.

    Who came once is known by two octets of his hash in a slot that the rest of it names. One
    stranger in 65,000 is taken for somebody who was here, and kept for nothing; in exchange
    strangers leave no object behind. (With one octet, what was kept for nothing had the garbage
    collector stop a worker for 3 ms every other second.)
    """

    __slots__ = ("_compute", "_door", "_inner", "_known", "_longest", "_oldest", "_order", "keep")

    def __init__(self, compute: Callable[[bytes], T], keep: int = 4096, longest: int = 512) -> None:
        """Remember at most `keep` results of `compute`, of keys up to `longest` octets."""
        self._compute: Final = compute
        self._longest: Final = longest
        self._door: Final = bytearray(_DOOR)
        self._inner: Final = bytearray(_DOOR)
        self._known: Final[dict[bytes, T]] = {}
        self._order: Final[list[bytes]] = []
        self._oldest = 0
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
        self._order.clear()
        self._oldest = 0
        self._door[:] = bytes(_DOOR)
        self._inner[:] = bytes(_DOOR)

    def _note(self, key: bytes, value: T) -> None:
        known = hash(key)
        slot, mark, second = known & (_DOOR - 1), (known >> 12) & 255, (known >> 20) & 255
        door, inner = self._door, self._inner
        if door[slot] != mark or inner[slot] != second:
            door[slot], inner[slot] = mark, second
            return
        order = self._order
        if len(order) < self.keep:
            order.append(key)
        else:
            oldest = self._oldest
            del self._known[order[oldest]]
            order[oldest] = key
            self._oldest = oldest + 1 if oldest + 1 < self.keep else 0
        self._known[key] = value
