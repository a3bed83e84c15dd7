"""Clocks that jump, and times in which nobody looked: reasons to wait, never to decide."""

from __future__ import annotations

from typing import Final

JUMP: Final = 2.0
"""Seconds by which wall clock and monotonic clock may drift apart between two looks."""

PAUSE: Final = 5.0
"""Seconds between two looks beyond which the process was stopped, or the machine asleep."""


class ClockWatch:
    """Compares two clocks at every look.

    No event is counted by the wall clock, so a jump changes nothing that was proved; but nobody
    knows how long anything has lasted, so no route goes on.
    """

    __slots__ = ("_monotonic", "_wall", "reason", "since")

    def __init__(self, wall: float, monotonic: float) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self.reason = ""
        self.since = monotonic

    def look(self, wall: float, monotonic: float) -> bool:
        """Whether something is wrong since the last look; `reason` then says what."""
        passed = monotonic - self._monotonic
        jumped = (wall - self._wall) - passed
        self._wall, self._monotonic = wall, monotonic
        if passed > PAUSE or passed < 0.0:
            self.reason = f"nobody looked for {abs(passed):.0f} s"
        elif abs(jumped) > JUMP:
            direction = "forward" if jumped > 0 else "back"
            self.reason = f"the clock jumped {direction} by {abs(jumped):.0f} s"
        else:
            return False
        self.since = monotonic
        return True

    def doubt(self, monotonic: float, window: float) -> str | None:
        """Say why nothing measured over this window (in seconds) can be relied on yet, if so."""
        if not self.reason or monotonic - self.since >= window:
            return None
        return f"{self.reason}; waiting for {window:g} s that were measured throughout"
