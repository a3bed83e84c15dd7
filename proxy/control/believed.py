"""Wall-clock time for calendars, which a jump of the clock does not move at once."""

from __future__ import annotations

from typing import Final

SLEW: Final = 2.0
"""Seconds between two looks up to which a clock is corrected, not moved."""


class BelievedTime:
    """Goes on evenly when the wall clock jumps, and believes a jump once it has lasted.

    It has lasted when it has stood for as long as it is far: an hour for an hour. So a clock set
    back by mistake, and forth again, neither opens nor closes a calendar, and one that was wrong
    and is right now is not mistrusted for ever. A new controller believes its clock.
    """

    def __init__(self, wall: float, monotonic: float) -> None:
        self._offset = wall - monotonic
        self._jump: float | None = None
        self._since = monotonic

    def at(self, wall: float, monotonic: float) -> float:
        """Give the believed time; to be asked every few seconds at least."""
        jump = wall - monotonic - self._offset
        if abs(jump) <= SLEW or self._has_lasted(jump, monotonic):
            self._offset += jump
            self._jump = None
        elif self._jump is None or abs(jump - self._jump) > SLEW:
            self._jump, self._since = jump, monotonic
        return monotonic + self._offset

    def _has_lasted(self, jump: float, monotonic: float) -> bool:
        steady = self._jump is not None and abs(jump - self._jump) <= SLEW
        return steady and monotonic - self._since >= abs(jump)
