"""Queues in front of the receivers: telling never waits, and never fails."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from proxy.clock import Clock
from proxy.control.alerts.message import Alert, alert_of
from proxy.control.alerts.post import Outcome, post
from proxy.control.alerts.shapes import body_of, headers_of
from proxy.control.alerts.targets import Alerting, Target
from proxy.control.chain import Link
from proxy.control.status import DecisionRecord

log = logging.getLogger(__name__)

QUEUE_MAX: Final = 200
"""Alerts that wait for one receiver; beyond them the oldest is given up."""

ATTEMPTS_MAX: Final = 12
FIRST_PAUSE: Final = 1.0
PAUSE_MAX: Final = 300.0
"""Attempts at one alert, with pauses that double: about twenty minutes in all."""

CLOSING: Final = 3.0
"""Seconds that are given to what still waits when the controller ends."""

Post = Callable[[str, bytes, Mapping[str, str]], Outcome]
Sleep = Callable[[float], Awaitable[None]]


Proof = Callable[[int], Awaitable[Link | None]]
"""Gives the entry of the journal that holds a decision, once it is written, or None before long."""


async def unproved(_decision: int) -> None:
    """Give no entry: there is no journal."""


@dataclass(frozen=True, slots=True)
class _Waiting:
    alert: Alert
    delivery: str


class Alerts:
    """Delivers alerts, to each receiver in order, one at a time.

    `outcomes` counts by receiver: delivered, gave_up, dropped. A receiver that is slow or gone
    holds up nobody but itself. `prefix` makes the numbers of deliveries unlike those of any other
    process, `proof` gives the entries of the journal.
    """

    def __init__(
        self,
        alerting: Alerting,
        clock: Clock,
        prefix: str,
        send: Post = post,
        sleep: Sleep = asyncio.sleep,
        proof: Proof = unproved,
    ) -> None:
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._console = alerting.console
        self._clock = clock
        self._prefix = prefix
        self._send = send
        self._sleep = sleep
        self._proof = proof
        self._number = 0
        self._queues = {target: deque[_Waiting]() for target in alerting.targets}
        self._fresh = {target: asyncio.Event() for target in alerting.targets}
        self._closing = False

    def decided(self, decision: DecisionRecord) -> None:
        """Tell of a decision, if it is one that people wait for."""
        try:
            alert = alert_of(decision)
        except Exception:
            log.exception("no alert could be made of decision %d", decision.id)
            return
        if alert is not None:
            self.tell(alert)

    def tell(self, alert: Alert) -> None:
        """Put an alert in the queue of everybody whom it is severe enough for."""
        self._number += 1
        waiting = _Waiting(alert, f"{self._prefix}-{self._number}")
        for target, queue in self._queues.items():
            if alert.severity < target.least and not alert.resolves:
                continue
            if len(queue) >= QUEUE_MAX:
                queue.popleft()
                self.outcomes[target.name, "dropped"] += 1
                log.warning("alerts for %s: too many wait; the oldest is given up", target.name)
            queue.append(waiting)
            self._fresh[target].set()

    def by_outcome(self) -> Counter[str]:
        """Give how many alerts ended how, of all receivers together."""
        found: Counter[str] = Counter()
        for (_, outcome), count in self.outcomes.items():
            found[outcome] += count
        return found

    async def run(self) -> None:
        """Deliver until cancelled; `close` lets go of what cannot be delivered soon."""
        async with asyncio.TaskGroup() as group:
            for target in self._queues:
                group.create_task(self._serve(target))

    async def close(self, running: asyncio.Task[None]) -> None:
        """Give what waits a moment, then end `run`."""
        self._closing = True
        for fresh in self._fresh.values():
            fresh.set()
        await asyncio.wait([running], timeout=CLOSING)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    async def _serve(self, target: Target) -> None:
        queue, fresh = self._queues[target], self._fresh[target]
        while queue or not self._closing:
            if not queue:
                fresh.clear()
                await fresh.wait()
                continue
            try:
                outcome = await self._deliver(target, queue.popleft())
            except Exception:
                log.exception("an alert for %s is given up", target.name)
                outcome = "gave_up"
            self.outcomes[target.name, outcome] += 1

    async def _deliver(self, target: Target, waiting: _Waiting) -> str:
        alert = await self._proved(waiting.alert)
        body, pause, told = body_of(alert, target, self._console), FIRST_PAUSE, ""
        for _ in range(ATTEMPTS_MAX):
            now = int(self._clock.wall())
            headers = headers_of(body, target, waiting.delivery, now)
            outcome = await asyncio.to_thread(self._send, target.url, body, headers)
            if outcome.delivered:
                return "delivered"
            told = outcome.told
            if not outcome.again or self._closing:
                break
            log.warning("alert for %s: %s; once more in %.0f s", target.name, told, pause)
            await self._sleep(min(max(pause, outcome.wait or 0.0), PAUSE_MAX))
            pause = min(pause * 2, PAUSE_MAX)
        log.error("alert for %s is given up: %s: %s", target.name, told, waiting.alert.title)
        return "gave_up"

    async def _proved(self, alert: Alert) -> Alert:
        """Add the entry of the journal that holds what is told; the store may be slow, or gone."""
        decision = alert.details.get("decision")
        link = await self._proof(decision) if isinstance(decision, int) else None
        if link is None:
            return alert
        return replace(alert, details={**alert.details, "journal": str(link)})
