"""Clients who see by which side they are served, changes made before their eyes, and takeovers."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from functools import partial

from bench.hosts.stage import SIDES, Host, Stage
from bench.processes import BenchError

CLIENTS = 4
"""Kept connections to each host; the kernel deals them out among its two workers."""

PAUSE = 0.01
"""Seconds between two requests of a client, which is also how exactly it sees a change."""

PATIENCE = 15.0


class Client:
    """One kept connection; `since` is when its side was first seen, by monotonic time."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.side = ""
        self.since = 0.0

    async def watch(self) -> None:
        """Ask for ever."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.host.port)
        with contextlib.closing(writer):
            while True:
                writer.write(b"GET /plans HTTP/1.1\r\nHost: bench\r\n\r\n")
                await reader.readuntil(b"\r\n\r\n")
                side = (await reader.readexactly(6)).decode()
                if side != self.side:
                    self.side, self.since = side, time.monotonic()
                await asyncio.sleep(PAUSE)


@contextlib.asynccontextmanager
async def watching(stage: Stage) -> AsyncIterator[list[Client]]:
    """Watch every host."""
    clients = [Client(host) for host in stage.hosts for _ in range(CLIENTS)]
    tasks = [asyncio.create_task(client.watch()) for client in clients]
    try:
        yield clients
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def changes(stage: Stage, count: int) -> dict[str, list[float]]:
    """Send everybody to the other side and back; gives milliseconds from asking to the last client.

    Raises BenchError when a change is refused, or not seen by everybody.
    """
    acting = await stage.settled()
    own: list[float] = []
    others: list[float] = []
    async with watching(stage) as clients:
        await _until(lambda: all(client.side for client in clients))
        for number in range(count):
            side = SIDES[(number + 1) % 2]
            change = {"weight": "0%" if side == "legacy" else "100%", "reason": "bench"}
            asked = time.monotonic()
            answer = await stage.client.put(f"{acting.url}/routes/plans/weight", json=change)
            if answer.status_code != 200:
                raise BenchError(f"a change was refused: {answer.text}")
            await _until(partial(_all_on, clients, side))
            own.append(max(c.since - asked for c in clients if c.host is acting) * 1e3)
            if len(stage.hosts) > 1:
                others.append(max(c.since - asked for c in clients if c.host is not acting) * 1e3)
            await asyncio.sleep(0.05)
    return {"own host": own, "other hosts": others} if others else {"own host": own}


def _all_on(clients: list[Client], side: str) -> bool:
    return all(client.side == side for client in clients)


async def takeovers(stage: Stage, rounds: int) -> dict[str, list[float]]:
    """Pause all of the acting host; gives milliseconds until another says that it acts."""
    found: dict[str, list[float]] = {"takeover: paused": []} if rounds else {}
    for _ in range(rounds):
        acting = await stage.settled()
        others = [host for host in stage.hosts if host is not acting]
        began = time.monotonic()
        os.killpg(acting.pid, signal.SIGSTOP)
        try:
            while await stage.acting(others) is None:  # each time all of them are asked
                pass
            found["takeover: paused"].append((time.monotonic() - began) * 1e3)
        finally:
            os.killpg(acting.pid, signal.SIGCONT)
    return found


async def _until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > deadline:
            raise BenchError("a change was not seen by everybody in time")
        await asyncio.sleep(0.001)
