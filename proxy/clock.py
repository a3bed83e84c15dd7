"""Time as an argument: the one place where the process reads a clock."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Both clocks a process needs: one for durations, one for people."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        ...

    def wall(self) -> float:
        """Seconds since the Unix epoch; may jump."""
        ...


class SystemClock:
    """The machine's clocks."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return time.monotonic()

    def wall(self) -> float:
        """Seconds since the Unix epoch; may jump."""
        return time.time()


class FakeClock:
    """A clock that moves only when told to, for tests and simulations."""

    def __init__(self, monotonic: float = 1_000.0, wall: float = 1_790_000_000.0) -> None:
        self._monotonic = monotonic
        self._wall = wall

    def monotonic(self) -> float:
        """Seconds since an arbitrary start; never goes back."""
        return self._monotonic

    def wall(self) -> float:
        """Seconds since the Unix epoch; may jump."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let both clocks run on by `seconds`."""
        self._monotonic += seconds
        self._wall += seconds

    def jump(self, seconds: float) -> None:
        """Move the wall clock alone, as a time server or an operator would."""
        self._wall += seconds
