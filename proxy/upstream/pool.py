"""The connections of one worker to one upstream: bounded, reused last-in first-out, queued fairly.

A lease is answered through the lessee's `on_leased` or `on_lease_failed`, often before `lease`
returns: an idle connection costs no task and no future.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from itertools import cycle
from typing import Final

from proxy.outcome import OutcomeKind
from proxy.routing.rules import UpstreamRules
from proxy.upstream.connection import Home, Lessee, UpstreamConnection
from proxy.upstream.instance import Instance

Connect = Callable[[Home, Instance, float, float], Awaitable[UpstreamConnection]]
"""Opens a connection for a pool: home, instance, idle limit and connect deadline in seconds.

Raises OSError or TimeoutError.
"""

QUEUE_FACTOR: Final = 4
"""Leases that may wait for one to end, as a multiple of the pool's size; beyond it, 503."""

KEEP_ALIVE_MARGIN: Final = 1.0
"""How much earlier than the upstream we stop reusing an idle connection, in seconds."""


async def connect_tcp(
    home: Home, instance: Instance, idle_limit: float, deadline: float
) -> UpstreamConnection:
    """Open a TCP connection; raises OSError or TimeoutError."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(deadline):
        _, connection = await loop.create_connection(
            lambda: UpstreamConnection(home, instance, idle_limit), instance.host, instance.port
        )
    return connection


class Pool:
    """All connections to one upstream. `now` is passed in; the pool reads no clock."""

    def __init__(self, rules: UpstreamRules, size: int, connect: Connect = connect_tcp) -> None:
        self.rules: Final = rules
        self.size: Final = max(1, size)
        self._connect = connect
        self._instances = cycle([Instance.parse(url) for url in rules.instances])
        self._idle: deque[UpstreamConnection] = deque()
        self._leased: set[UpstreamConnection] = set()
        self._waiting: deque[Lessee] = deque()
        self._connecting: set[asyncio.Task[None]] = set()
        self._closed = False
        self._told = 0.0

    @property
    def figures(self) -> dict[str, int]:
        """How the connections are used now."""
        return {
            "idle": len(self._idle),
            "leased": len(self._leased),
            "connecting": len(self._connecting),
            "waiting": len(self._waiting),
        }

    @property
    def exhausted(self) -> bool:
        """Whether all connections that there may be are in use: waiting is our bound's doing."""
        return len(self._leased) >= self.size

    def lease(self, lessee: Lessee, now: float, fresh: bool = False) -> None:
        """Ask for a connection; a `fresh` one when an idle one has just proved to be stale."""
        self._told = now
        idle = self._idle
        while idle and not fresh:
            connection = idle.pop()
            if connection.is_usable(now):
                self._leased.add(connection)
                lessee.on_leased(connection, reused=True)
                return
            connection.abort()
        if len(self._waiting) - len(self._connecting) >= self.size * QUEUE_FACTOR:
            lessee.on_lease_failed(OutcomeKind.REJECTED)
            return
        self._waiting.append(lessee)
        if idle and len(self._leased) + len(idle) + len(self._connecting) >= self.size:
            idle.popleft().abort()  # what is idle must not keep out who may not use it
        self._open()

    def cancel(self, lessee: Lessee) -> None:
        """Forget a lease that nobody waits for any more."""
        if lessee in self._waiting:
            self._waiting.remove(lessee)

    def release(
        self, connection: UpstreamConnection, now: float, idle_hint: float | None = None
    ) -> None:
        """Take back a connection whose exchange is complete, for the next one to use."""
        self._told = now
        connection.lessee = None
        if connection.is_closing() or self._closed:
            self.discard(connection)
            return
        if idle_hint is not None:
            connection.idle_limit = min(
                self.rules.timeouts.idle, max(0.0, idle_hint - KEEP_ALIVE_MARGIN)
            )
        if self._waiting:
            lessee = self._waiting.popleft()
            lessee.on_leased(connection, reused=True)
            return
        self._leased.discard(connection)
        connection.idle_since = now
        self._idle.append(connection)

    def discard(self, connection: UpstreamConnection) -> None:
        """Close a connection that cannot be used again."""
        connection.abort()
        self._leased.discard(connection)
        self._open()

    def on_closed(self, connection: UpstreamConnection) -> None:
        """Forget a connection that has closed by itself."""
        self._leased.discard(connection)
        if connection in self._idle:
            self._idle.remove(connection)
        self._open()

    def sweep(self, now: float) -> None:
        """Close what has been idle for too long, oldest first."""
        while self._idle and not self._idle[0].is_usable(now):
            self._idle.popleft().abort()

    def close(self) -> None:
        """Close all idle connections; leased ones close when they come back."""
        self._closed = True
        while self._idle:
            self._idle.pop().abort()

    def _open(self) -> None:
        """Open a connection for each lease that waits, within the bound."""
        while len(self._connecting) < len(self._waiting) and (
            len(self._leased) + len(self._idle) + len(self._connecting) < self.size
        ):
            task = asyncio.get_running_loop().create_task(self._make())
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _make(self) -> None:
        """Open one connection and hand it, or the failure, to whoever waits longest."""
        connection = await self._reach()
        self._connecting.discard(_this_task())
        if connection is None:
            if self._waiting:
                self._waiting.popleft().on_lease_failed(OutcomeKind.CONNECT)
            self._open()
        elif self._waiting:
            self._leased.add(connection)
            self._waiting.popleft().on_leased(connection, reused=False)
        elif self._closed:
            connection.abort()
        else:
            # Idle at least since the pool was last told the time: closed rather too early.
            connection.idle_since = self._told
            self._idle.append(connection)

    async def _reach(self) -> UpstreamConnection | None:
        """Try the instances in turn, each once: one that is down takes none of the traffic.

        A connection that is closed before anything was sent counts as none.
        """
        timeouts = self.rules.timeouts
        for _ in self.rules.instances:
            instance = next(self._instances)
            try:
                connection = await self._connect(self, instance, timeouts.idle, timeouts.connect)
            except (OSError, TimeoutError):
                continue
            if not connection.is_closing():
                return connection
        return None


def _this_task() -> asyncio.Task[None]:
    task = asyncio.current_task()
    if task is None:  # pragma: no cover - a coroutine that runs is run by a task
        raise RuntimeError("not in a task")
    return task
