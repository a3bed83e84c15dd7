"""Clients of every worker of a host, who never stop asking, and note who has served them how.

By which version a worker served stands in its access log; the clients name every request, so that
the two are put together. Which worker has a connection is read from the kernel's tables.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.support_hosts.host import Host
from tests.support_hosts.judge import WORKERS
from tests.support_hosts.record import Failure, Record, Seen
from tests.support_load import Answer, Client, Request

PACE: Final = 0.05
HASTE: Final = 0.02
"""Seconds between two requests to one worker, and while the spreading of a change is measured."""

PATHS: Final = {"orders": "/orders", "invoices": "/invoices"}
"""Where clients go, by route."""


@dataclass
class _Door:
    """Where clients of a host come in; `port` is theirs on the connection made last."""

    host: Host
    port: int = 0

    async def enter(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        sock = self.host.place.socket()
        try:
            address = ("127.0.0.1", self.host.port)
            await asyncio.get_running_loop().sock_connect(sock, address)
        except BaseException:
            sock.close()
            raise
        self.port = sock.getsockname()[1]
        return await asyncio.open_connection(sock=sock)


@dataclass
class _Eye:
    """One client with one connection, on one worker at a time; 0 while that is not known."""

    door: _Door
    client: Client
    worker: int = 0
    port: int = 0


@dataclass
class Watch:
    """Watches one host.

    `good` has when each worker has last served somebody, `serving` by which version, as far as the
    log has been read.
    """

    host: Host
    record: Record
    chance: Random
    eyes: list[_Eye] = field(default_factory=list)
    pace: float = PACE
    good: dict[int, float] = field(default_factory=dict)
    serving: dict[int, int] = field(default_factory=dict)
    _asked: dict[str, tuple[int, int]] = field(default_factory=dict)
    _turn: int = 0
    _read: int = 0

    async def run(self) -> None:
        """Watch until cancelled."""
        for _ in range(WORKERS):
            door = _Door(self.host)
            self.eyes.append(_Eye(door, Client(door, "")))
        try:
            await asyncio.gather(*(self._look(eye) for eye in self.eyes))
        finally:
            for eye in self.eyes:
                await eye.client.close()

    def well(self, since: float) -> bool:
        """Say whether every worker has served somebody since a moment."""
        return sum(at > since for at in self.good.values()) >= WORKERS

    def reached(self) -> int:
        """Give the oldest version by which a worker was seen to serve last; reads the log."""
        self.read_log()
        versions = [self.serving.get(each, 0) for each in self.host.workers]
        return min(versions) if len(versions) == WORKERS else 0

    def read_log(self) -> None:
        """Put what the access log says together with what was asked."""
        with self.host.access_log.open("rb") as file:
            file.seek(self._read)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._read += len(line)
                self._take(json.loads(line))

    async def _look(self, eye: _Eye) -> None:
        while True:
            answer = await self._ask(eye)
            if not answer.good:
                what = answer.failure or f"HTTP {answer.status}"
                ended = time.time()
                began = ended - (answer.ended - answer.began)
                self.record.failures.append(Failure(began, ended, self.host.name, what))
            await asyncio.sleep(self.pace)
            if eye.port != eye.door.port or not eye.worker:
                await self._find_worker(eye)

    async def _ask(self, eye: _Eye) -> Answer:
        self._turn += 1
        name = f"{self.host.name}.{self._turn}"
        eye.client.identity = f"{self.chance.random()}"
        route = self.chance.choice(list(PATHS))
        before = eye.port
        answer = await eye.client.ask(Request(path=PATHS[route], id=name))
        if answer.good and eye.worker and before == eye.door.port:
            self._asked[name] = eye.worker, self._turn
            self.good[eye.worker] = time.time()
        return answer

    async def _find_worker(self, eye: _Eye) -> None:
        """Learn which worker has the connection; one that another eye watches is left again."""
        eye.port = eye.door.port
        eye.worker = await self.host.place.doing(lambda: self._holder(eye.port))
        known = {other.worker for other in self.eyes if other is not eye}
        if not eye.worker or eye.worker in known:
            eye.worker = eye.port = 0
            await eye.client.close()
        else:
            self.host.workers = frozenset(each.worker for each in self.eyes if each.worker)

    def _holder(self, port: int) -> int:
        """Give the process at the other end of a connection, as the kernel knows it."""
        for row in Path("/proc/thread-self/net/tcp").read_text().splitlines()[1:]:
            fields = row.split()
            mine, other = (int(fields[n].rpartition(":")[2], 16) for n in (1, 2))
            if (mine, other) == (self.host.port, port):
                return _owner(f"socket:[{fields[9]}]", self.host.processes("all"))
        return 0

    def _take(self, line: dict[str, Any]) -> None:
        name = line.get("request_id", "")
        if (asked := self._asked.pop(name, None)) is None:
            return
        worker, turn = asked
        self.serving[worker] = line["version"]
        at = datetime.fromisoformat(line["at"]).timestamp()
        self.record.seen.append(
            Seen(
                at, self.host.name, worker, turn,
                line["version"], line["route"], line["bucket"], line["decided"],
            )
        )  # fmt: skip


def _owner(link: str, pids: list[int]) -> int:
    for pid in pids:
        with contextlib.suppress(OSError):
            for descriptor in Path(f"/proc/{pid}/fd").iterdir():
                with contextlib.suppress(OSError):
                    if str(descriptor.readlink()) == link:
                        return pid
    return 0
