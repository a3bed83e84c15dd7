"""Asking both sides no more often than allowed, whatever for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shadow_compare.capture import Capture
from shadow_compare.config import LEGACY, MODERN, ShadowConfig, ShadowSettings
from shadow_compare.correspondence import Correspondence
from shadow_compare.sides import Heard, Sides
from shadow_compare.translate import Translation


class Pace:
    """Turns at a rate a second, 0 for as many as come; a pause is not made up for by a burst."""

    def __init__(self, rate: float, monotonic: Callable[[], float]) -> None:
        self._interval = 1 / rate if rate else 0.0
        self._monotonic = monotonic
        self._due = monotonic()

    def next(self) -> float:
        """Take a turn; gives how many seconds to wait for it."""
        now = self._monotonic()
        mine = max(self._due, now)
        self._due = mine + self._interval
        return mine - now


class PacedSides(Sides):
    """Sides of which each is asked at a rate, second answers and second looks included."""

    def __init__(
        self,
        settings: ShadowSettings,
        pairs: Correspondence,
        rate: float,
        monotonic: Callable[[], float],
    ) -> None:
        super().__init__(settings, pairs, monotonic)
        self._paces = {side: Pace(rate, monotonic) for side in (LEGACY, MODERN)}
        self.asked = 0

    async def ask(
        self,
        side: str,
        capture: Capture,
        config: ShadowConfig,
        places: tuple[Translation, ...] | None = None,
    ) -> Heard:
        """Put a request to a side when it is its turn. Raises NotComparableError."""
        self.check(side, capture, config)
        wait = self._paces[side].next()
        if wait > 0:
            await asyncio.sleep(wait)
        self.asked += 1
        return await super().ask(side, capture, config, places)
