"""One host's way to act: it beats, takes the lease when it is free, and knows when to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from proxy.clock import Clock
from proxy.control.hosts.fingerprint import differing
from proxy.control.hosts.lease import Lease, Report, View
from proxy.control.hosts.tenure import ALONE, BEAT, TTL, Tenure
from proxy.control.status import HostsStatus, HostStatus
from proxy.errors import ConflictError
from shadow_compare.store.errors import StoreError

log = logging.getLogger(__name__)

ANSWER = 2.0
"""Seconds that PostgreSQL may take for a beat."""


OTHER_KEYS = (
    "its {0} is not that of {1}, so what either makes by it is a stranger's on the other: copy it"
    " from the state directory of one to that of the other, and start that one again"
)


class Candidate:
    """Wants to act while it has Redis; `report` says how this host is.

    `problem` says why nothing is known of the others; None while it is.
    """

    def __init__(self, lease: Lease, clock: Clock, report: Callable[[], Report]) -> None:
        self.view: View | None = None
        self.problem: str | None = "the store has not been asked yet"
        self._lease = lease
        self._clock = clock
        self._report = report
        self._tenure: Tenure | None = None
        self._turned = asyncio.Event()
        self._without_redis: float | None = None
        self._seen_at = 0.0

    @property
    def tenure(self) -> Tenure | None:
        """The term in which this host acts, as long as it may be believed in."""
        held = self._tenure
        return held if held is not None and held.holds(self._clock.monotonic()) else None

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            await self.beat()
            await asyncio.sleep(BEAT)

    async def beat(self) -> None:
        """Report, and ask for the lease or for more of it."""
        asked, me = self._clock.monotonic(), self._report()
        token = None if self._tenure is None else self._tenure.token
        try:
            if token is not None and self._makes_room(me, asked):
                log.warning("%s has no Redis, and lets a host act that has", me.name)
                self.lose()
                await self._lease.release(token)
                return
            async with asyncio.timeout(ANSWER):
                view = await self._lease.beat(me, token, wants=me.bus)
        except (StoreError, TimeoutError, ConflictError) as error:
            self._trouble(str(error) or "PostgreSQL does not answer")
        else:
            self._take(view, asked)

    async def until_acting(self) -> Tenure:
        """Wait for the lease."""
        while (held := self.tenure) is None:
            await self._turn(BEAT)
        return held

    async def until_lost(self, token: int) -> None:
        """Wait for the end of a term: its time is over, or somebody else acts."""
        while (held := self.tenure) is not None and held.token == token:
            await self._turn(held.until - self._clock.monotonic())

    def lose(self) -> None:
        """Act no more: somebody has shown us a newer token."""
        self._tenure = None
        self._turned.set()

    async def release(self) -> None:
        """Let go at the end, so that another takes over at once."""
        held, self._tenure = self._tenure, None
        if held is not None:
            try:
                async with asyncio.timeout(ANSWER):
                    await self._lease.release(held.token)
            except (StoreError, TimeoutError) as error:
                log.warning("the lease ends by itself in %.0f s: %s", TTL, error)

    def hosts(self) -> HostsStatus:
        """Tell of all hosts, as they were known at the last beat that was answered."""
        view, me, ago = self.view, self._report(), self._clock.monotonic() - self._seen_at
        if view is None:
            return HostsStatus(me.name, None, 0)
        acting = me.name if self.tenure is not None else view.acting
        if ago > TTL or (acting == me.name and self.tenure is None):
            acting = None
        keys = next((host.keys for host in view.hosts if host.name == acting), None)
        found = []
        for host in view.hosts:
            seen = host.seen + ago if host.name != me.name else 0.0
            said = me if host.name == me.name else host
            others = () if keys is None else differing(keys, host.keys)
            told = OTHER_KEYS.format(" and ".join(others), acting) if others else ""
            status = HostStatus(
                host.name,
                said.url,
                seen < TTL,
                seen,
                said.bus,
                said.version,
                "; ".join(filter(None, (said.problem, told))),
                others,
            )
            found.append(status)
        return HostsStatus(me.name, acting, view.token, tuple(found))

    def _take(self, view: View, asked: float) -> None:
        if self.problem is not None:
            log.info("the store answers; %s acts", view.acting or "nobody")
        self.view, self.problem, self._seen_at = view, None, asked
        before = self._tenure
        self._tenure = Tenure(view.token, asked) if view.granted else None
        if (before is None) is not (self._tenure is None):
            self._turned.set()

    def _makes_room(self, me: Report, now: float) -> bool:
        """Whether Redis is gone here, and there for somebody else."""
        if me.bus:
            self._without_redis = None
            return False
        if self._without_redis is None:
            self._without_redis = now
        others = self.view.hosts if self.view is not None else ()
        ready = any(each.name != me.name and each.is_there and each.bus for each in others)
        return ready and now - self._without_redis >= ALONE

    def _trouble(self, error: str) -> None:
        if self.problem is None:
            log.error("nothing is known of other hosts: %s", error)
        self.problem = error

    async def _turn(self, seconds: float) -> None:
        self._turned.clear()
        try:
            async with asyncio.timeout(max(0.01, seconds)):
                await self._turned.wait()
        except TimeoutError:
            return
