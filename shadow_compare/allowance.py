"""How often something may be done per second."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """Fills at a rate per second, up to what one second gives, and at least to one."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._rate = per_second
        self._monotonic = monotonic
        self._most = max(1.0, per_second) if per_second else 0.0
        self._left = self._most
        self._at = monotonic()

    def take(self) -> bool:
        """Use one up, if one is left."""
        now = self._monotonic()
        self._left = min(self._most, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
