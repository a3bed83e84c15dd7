"""How often something may be done per second."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """Fills at a rate per second, up to what one second gives."""

    def __init__(self, per_second: float, monotonic: Callable[[], float]) -> None:
        self._rate = per_second
        self._monotonic = monotonic
        self._left = per_second
        self._at = monotonic()

    def take(self) -> bool:
        """Use one up, if one is left."""
        now = self._monotonic()
        self._left = min(self._rate, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left < 1.0:
            return False
        self._left -= 1.0
        return True
