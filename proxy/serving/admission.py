"""How much one worker takes on at once; beyond it, clients are told to come back."""

from __future__ import annotations

from proxy.routing.limits import EXCHANGES_MAX


class Admission:
    """Counts the exchanges in flight against a limit."""

    __slots__ = ("in_flight", "limit")

    def __init__(self, limit: int = EXCHANGES_MAX) -> None:
        self.limit = limit
        self.in_flight = 0

    def enter(self) -> bool:
        """Take on one more exchange, if there is room."""
        if self.in_flight >= self.limit:
            return False
        self.in_flight += 1
        return True

    def leave(self) -> None:
        """Give back the room of one exchange."""
        self.in_flight -= 1
