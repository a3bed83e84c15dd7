"""How comparisons ended, counted, and told at short intervals."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

Count = tuple[str, str, str, str, bool, int]
"""Route, side of the primary, verdict, reason, whether critical, and how often."""


class Tally:
    """Counts since they were last told to `on_counts`; `failed` hears when that cannot be done."""

    def __init__(
        self, on_counts: Callable[[list[Count]], None], failed: Callable[[Exception], None]
    ) -> None:
        self._on_counts = on_counts
        self._failed = failed
        self._counts: Counter[tuple[str, str, str, str, bool]] = Counter()

    def count(
        self, route: str, primary: str, verdict: str, reason: str, *, critical: bool = False
    ) -> None:
        """Count one comparison."""
        self._counts[route, primary, verdict, reason, critical] += 1

    async def run(self, interval: float) -> None:
        """Tell every so many seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            self.tell()

    def tell(self) -> None:
        """Tell what was counted since the last time, if anything."""
        counts, self._counts = self._counts, Counter()
        if not counts:
            return
        try:
            self._on_counts([(*key, count) for key, count in counts.items()])
        except Exception as error:  # a listener's failure is not ours
            self._failed(error)
