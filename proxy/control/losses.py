"""Captures that no shadow worker ever had, on their way into the report's coverage.

A report that knew only what was compared would call a route covered of which nine in ten captures
were dropped on the way. The data plane counts them by route and reason; here they are kept until
they are stored with the comparisons.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from proxy.control.live import NOT_COMPARED
from shadow_compare.store.errors import StoreError
from shadow_compare.store.record import Record

INTERVAL: Final = 1.0
"""Seconds between attempts to store what was lost."""

ANY_METHOD: Final = "*"
"""Of a capture that was dropped only the route is known."""

log = logging.getLogger(__name__)


class Losses:
    """What was lost since the last time it could be stored, by rules version, route and reason."""

    def __init__(
        self, keep: Callable[[Sequence[Record]], Awaitable[None]], wall: Callable[[], float]
    ) -> None:
        self._keep: Final = keep
        self._wall: Final = wall
        self._counted: Counter[tuple[int, str, str]] = Counter()

    def add(self, route: str, reasons: Mapping[str, int], version: int) -> None:
        """Take what a worker has dropped of a route."""
        for reason, number in reasons.items():
            self._counted[version, route, reason] += number

    async def run(self) -> None:
        """Store what there is, again and again, until cancelled."""
        while True:
            await asyncio.sleep(INTERVAL)
            await self.flush()

    async def flush(self) -> None:
        """Store what there is now; what cannot be stored waits for another attempt."""
        counted, self._counted = self._counted, Counter()
        if not counted:
            return
        at = self._wall()
        records = [
            Record(route, at, version, NOT_COMPARED, reason, method=ANY_METHOD, count=number)
            for (version, route, reason), number in sorted(counted.items())
        ]
        try:
            await self._keep(records)
        except StoreError as error:
            log.warning("captures that were dropped are not in the report yet: %s", error)
            self._counted += counted
        except asyncio.CancelledError:
            self._counted += counted
            raise
