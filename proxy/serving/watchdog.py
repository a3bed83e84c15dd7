"""Noticing a child whose event loop stands still (pure).

The measure is not a clock but how often the supervisor itself woke up: on a machine that was
suspended, stopped in a debugger or starved, the supervisor slept as well, and nobody is to blame.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

LOOK: Final = 1.0
"""Seconds between two looks."""

OVERSLEPT: Final = 3.0
"""A look that comes so many times too late says nothing about the child."""


class Finding(Enum):
    """What a look has found."""

    ALIVE = "alive"
    HUNG = "hung"
    DEAF = "deaf"  # hung, and it did not even end when it was told to


@dataclass(slots=True)
class Watchdog:
    """Looks at one child about once a second. `seconds` without a beat are too long; 0: never."""

    seconds: float
    _beats: int = -1
    _looked: float | None = None
    _still: float = 0.0

    def forget(self) -> None:
        """Begin anew, with a new life of the child."""
        self._beats, self._looked, self._still = -1, None, 0.0

    def look(self, beats: int, now: float) -> Finding:
        """Judge by the beats counted so far; `now` is monotonic seconds."""
        if self._looked is None or beats != self._beats:
            self._beats, self._looked, self._still = beats, now, 0.0
            return Finding.ALIVE
        since, self._looked = now - self._looked, now
        if since <= OVERSLEPT * LOOK:
            self._still += since
        if not self.seconds or self._still < self.seconds:
            return Finding.ALIVE
        return Finding.HUNG if self._still < self.seconds + 2 * LOOK else Finding.DEAF
