"""The unit of evidence: one customer's trouble is one event, however often it is tried again."""

from __future__ import annotations

from typing import Final

IDENTITY_SECONDS: Final = 10.0
IDENTITIES_MAX: Final = 100_000


class FirstPerIdentity:
    """Lets through the first event of an identity in 10 s: a customer in a loop is one event.

    Overdispersion, not looking often, is what makes false rollbacks. Identities are hashes, times
    are monotonic seconds. `seconds` may be others than 10, and `most` are remembered.
    """

    __slots__ = ("_counted", "_most", "_seconds")

    def __init__(self, seconds: float = IDENTITY_SECONDS, most: int = IDENTITIES_MAX) -> None:
        self._seconds = seconds
        self._most = most
        self._counted: dict[int, float] = {}

    def admit(self, identity: int, now: float) -> bool:
        """Whether this event is to be counted; remembers it when it is."""
        last = self._counted.get(identity)
        if last is not None and now - last < self._seconds:
            return False
        if len(self._counted) >= self._most:
            self._forget(now)
        self._counted.pop(identity, None)
        self._counted[identity] = now
        return True

    def _forget(self, now: float) -> None:
        """Drop who may come again; if that frees nothing, drop the oldest half."""
        fresh = {i: at for i, at in self._counted.items() if now - at < self._seconds}
        if len(fresh) >= self._most:
            fresh = dict(list(fresh.items())[len(fresh) // 2 :])
        self._counted = fresh
