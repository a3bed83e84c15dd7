"""The unit of evidence: one customer's trouble is one event, however often it is tried again."""

from __future__ import annotations

from typing import Final

IDENTITY_SECONDS: Final = 10.0
IDENTITIES_MAX: Final = 100_000


class FirstPerIdentity:
    """Lets through the first event of an identity in 10 s: a customer in a loop is one event.

    Overdispersion, not looking often, is what makes false rollbacks. Identities are hashes, times
    are monotonic seconds.
    """

    __slots__ = ("_counted",)

    def __init__(self) -> None:
        self._counted: dict[int, float] = {}

    def admit(self, identity: int, now: float) -> bool:
        """Whether this event is to be counted; remembers it when it is."""
        last = self._counted.get(identity)
        if last is not None and now - last < IDENTITY_SECONDS:
            return False
        if len(self._counted) >= IDENTITIES_MAX:
            self._forget(now)
        self._counted.pop(identity, None)
        self._counted[identity] = now
        return True

    def _forget(self, now: float) -> None:
        """Drop who may come again; if that frees nothing, drop the oldest half."""
        fresh = {i: at for i, at in self._counted.items() if now - at < IDENTITY_SECONDS}
        if len(fresh) >= IDENTITIES_MAX:
            fresh = dict(list(fresh.items())[len(fresh) // 2 :])
        self._counted = fresh
