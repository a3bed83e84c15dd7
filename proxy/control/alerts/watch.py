"""Alerts about what is no decision: a rules file that is refused, a store that fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock
from proxy.control.alerts.message import Alert, rules_refused, store_failed

EVERY: Final = 2.0
"""Seconds between looks: a trouble that is over sooner is none."""

Troubles = Callable[[], tuple[str | None, str | None]]


class TroubleWatch:
    """Tells when a trouble begins, and when it is over; not when its words change."""

    def __init__(self, troubles: Troubles, tell: Callable[[Alert], None], clock: Clock) -> None:
        self._troubles = troubles
        self._tell = tell
        self._clock = clock
        self._rules = self._store = False

    def look(self) -> None:
        """Look once."""
        rules, store = self._troubles()
        if (rules is not None) is not self._rules:
            self._tell(rules_refused(rules, self._clock.wall()))
        if (store is not None) is not self._store:
            self._tell(store_failed(store, self._clock.wall()))
        self._rules, self._store = rules is not None, store is not None

    async def run(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(EVERY)
