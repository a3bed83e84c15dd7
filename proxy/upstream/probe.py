"""Probes: asking each instance now and then whether it is well, on connections of their own.

Every worker asks for itself and believes only itself, so that no one process decides for all, and
nothing is lost when the controller is down. A pool's connections are never used: what is full or
stuck there must not look like illness.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterable
from typing import Final

from proxy.outcome import OutcomeKind
from proxy.routing.upstream_rules import ProbeRules
from proxy.upstream.connect import Connect
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.health import is_good
from proxy.upstream.instance import Instance
from proxy.upstream.members import Member
from proxy.upstream.pool import Pool
from proxy.wire.errors import ResponseError
from proxy.wire.message import ResponseHead

JITTER: Final = 0.2
"""Share of the interval by which each pause is longer or shorter, so that workers drift apart."""

log = logging.getLogger(__name__)


class Probing:
    """Probes the instances of those pools whose rules ask for it. `chance` draws from [0, 1)."""

    def __init__(
        self,
        now: Callable[[], float],
        chance: Callable[[], float] = random.random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._now: Final = now
        self._chance: Final = chance
        self._sleep: Final = sleep
        self._tasks: dict[Pool, list[asyncio.Task[None]]] = {}

    def follow(self, pools: Iterable[Pool]) -> None:
        """Probe for these pools from now on; those that were probed before go on undisturbed."""
        wanted = [pool for pool in pools if pool.rules.probe is not None]
        for pool in [pool for pool in self._tasks if pool not in wanted]:
            for task in self._tasks.pop(pool):
                task.cancel()
        for pool in wanted:
            if pool not in self._tasks:
                self._tasks[pool] = [self._start(pool, member) for member in pool.members.all]

    def _start(self, pool: Pool, member: Member) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(self._watch(pool, member))
        task.add_done_callback(_tell_end)
        return task

    async def _watch(self, pool: Pool, member: Member) -> None:
        """Ask one instance, for ever; the first time soon, but not all at once."""
        rules = pool.rules.probe
        if rules is None:
            return
        await self._sleep(rules.interval * self._chance())
        while True:
            good, said = await ask(pool.connect, member.instance, rules)
            pool.note_probe(member, self._now(), good=good, said=said)
            await self._sleep(rules.interval * (1.0 + JITTER * (2.0 * self._chance() - 1.0)))


def _tell_end(task: asyncio.Task[None]) -> None:
    """A probe that ends by itself is a mistake of ours, and nobody must believe it goes on."""
    if not task.cancelled() and task.exception() is not None:
        log.error("a probe has ended", exc_info=task.exception())


async def ask(connect: Connect, instance: Instance, rules: ProbeRules) -> tuple[bool, str]:
    """Send one probe; gives whether it was answered well, and what was said or went wrong."""
    question = _Question()
    connection: UpstreamConnection | None = None
    try:
        async with asyncio.timeout(rules.timeout):
            connection = await connect(question, instance, 0.0, rules.timeout)
            connection.begin(question, "GET", _request(instance, rules))
            status = await question.status
    except TimeoutError:
        return False, f"no answer within {rules.timeout:g} s"
    except (OSError, ResponseError) as error:
        return False, str(error) or type(error).__name__
    finally:
        if connection is not None:
            connection.abort()
    return is_good(status, rules), f"answered {status}"


def _request(instance: Instance, rules: ProbeRules) -> bytes:
    return (
        f"GET {rules.path} HTTP/1.1\r\nHost: {rules.host or instance}\r\n"
        "User-Agent: cutover-probe\r\nAccept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


class _Question:
    """Home and lessee of a probe's connection; its answer is the status of the final head."""

    def __init__(self) -> None:
        self.status: Final[asyncio.Future[int]] = asyncio.get_running_loop().create_future()

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Take the status; the rest of the answer is not of interest."""
        if self.status.done():
            return
        try:
            while (event := connection.parser.next()) is not None:
                if isinstance(event, ResponseHead) and event.status >= 200:
                    self.status.set_result(event.status)
                    return
        except ResponseError as error:
            self.status.set_exception(error)

    def on_lost(self, connection: UpstreamConnection) -> None:  # noqa: ARG002 - it has but one
        """Hear that there will be no answer."""
        if not self.status.done():
            self.status.set_exception(ConnectionResetError("closed without an answer"))

    def on_closed(self, connection: UpstreamConnection) -> None:
        """Nothing to forget."""

    def on_writable(self, writable: bool) -> None:
        """A probe has no body."""

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Never said: a probe leases nothing."""

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Never said: a probe leases nothing."""
