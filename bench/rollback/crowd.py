"""The clients of the live part: 2,000 identities, 1,000 requests a second, at random times."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from typing import cast

from bench.load.answers import Cutter

RATE = 1000.0
IDENTITIES = 2000
TICK = 0.001


class Crowd:
    """Asks for as long as `run` runs. `failed` counts clients that saw an error, or nothing."""

    def __init__(self, port: int, path: str, seed: int) -> None:
        self.asked = 0
        self.failed = 0
        self._port = port
        self._chance = random.Random(seed)
        self._requests = [
            f"GET {path} HTTP/1.1\r\nHost: bench\r\nCookie: PHPSESSID=s{number}\r\n\r\n".encode()
            for number in range(IDENTITIES)
        ]
        self._free: deque[_Client] = deque()
        self._opening: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Ask until cancelled; who finds no free connection opens one."""
        due = time.monotonic()
        while True:
            await asyncio.sleep(TICK)
            now = time.monotonic()
            while due <= now:
                due += self._chance.expovariate(RATE)
                self._ask()

    def _ask(self) -> None:
        self.asked += 1
        request = self._chance.choice(self._requests)
        while self._free:
            client = self._free.pop()
            if client.is_open:
                client.send(request)
                return
        task = asyncio.create_task(self._open(request))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open(self, request: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, client = await loop.create_connection(lambda: _Client(self), "127.0.0.1", self._port)
        except OSError:
            self.failed += 1
        else:
            client.send(request)

    def take_back(self, client: _Client, status: int) -> None:
        """Note how it went."""
        self.failed += not 200 <= status < 300
        if client.is_open:
            self._free.append(client)


class _Client(asyncio.Protocol):
    """One connection with one request at a time."""

    def __init__(self, crowd: Crowd) -> None:
        self.is_open = True
        self._crowd = crowd
        self._cutter = Cutter()
        self._waits = False
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)

    def send(self, request: bytes) -> None:
        """Ask."""
        self._waits = True
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        """Read an answer."""
        status = self._cutter.feed(data)
        if status:
            self._waits = False
            self._crowd.take_back(self, status)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop passes it
        """End; whoever waited has got nothing."""
        self.is_open = False
        if self._waits:
            self._crowd.take_back(self, 0)
