"""Which requests were carried out already, for as long as one could come again."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

REMEMBERED_MAX: Final = 100_000
"""Ids that are remembered; when there is no room for one more, it is refused."""


class Replays:
    """Ids with the time from which on they need not be remembered, in seconds.

    It is the memory of one process: of several behind one address each carries a mirrored request
    out once at most.
    """

    def __init__(self, most: int = REMEMBERED_MAX) -> None:
        self._most = most
        self._until: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._until)

    def admit(self, identifier: str, now: float, seconds: float) -> bool:
        """Whether this id is new, and from now on is not; False as well when there is no room."""
        self._forget(now)
        if identifier in self._until or len(self._until) >= self._most:
            return False
        self._until[identifier] = now + seconds
        return True

    def _forget(self, now: float) -> None:
        """Let go of what is too old, oldest first: everything is remembered equally long."""
        while self._until:
            identifier, until = next(iter(self._until.items()))
            if until > now:
                return
            del self._until[identifier]
