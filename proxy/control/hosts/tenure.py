"""How long a controller may believe that it acts (pure): always shorter than the others believe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TTL: Final = 3.0
"""Seconds that a lease holds from when the database has renewed it."""

BEAT: Final = 0.5
"""Seconds between renewals, and between looks of those who wait."""

MARGIN: Final = 0.5
"""Seconds by which a controller stops before its lease ends."""

ALONE: Final = 2.0
"""Seconds without Redis after which a controller makes room for a host that has it."""


@dataclass(frozen=True, slots=True)
class Tenure:
    """One term of acting, under a token; `asked` is when it was last asked for, by monotonic time.

    The database counts from when it answered, which is later: however long the way there and back
    takes, and whenever this process stands still, the term is over here before it is over there.
    """

    token: int
    asked: float

    @property
    def until(self) -> float:
        """When it must have been renewed, by monotonic time."""
        return self.asked + TTL - MARGIN

    def holds(self, now: float) -> bool:
        """Whether it may still be believed in."""
        return now < self.until
