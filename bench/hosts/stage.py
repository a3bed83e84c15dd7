"""What the hosts stand on, and the hosts: each a `cutover serve` with two workers."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path
from typing import Any, Self

import httpx

from bench.processes import BenchError, cores, free_ports, last_words, running
from deploy.stack.postgres import Postgres
from deploy.stack.redis import Redis

SIDES = ("legacy", "modern")
PATIENCE = 30.0

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"]}}
  modern: {{instances: ["http://127.0.0.1:{modern}"]}}
routes:
  - id: plans
    match: {{path: /*}}
    weight: 0%
"""


class Host:
    """One proxy host."""

    def __init__(self, name: str, folder: Path, rules: str) -> None:
        self.name, self.log = name, folder / "serve.log"
        self.port, self.admin = free_ports(2)
        folder.mkdir(parents=True)
        (folder / "rules.yaml").write_text(rules)
        self.command = [
            sys.executable, "-m", "proxy", "serve", "--rules", str(folder / "rules.yaml"),
            "--state", str(folder / "state"), "--listen", f"127.0.0.1:{self.port}",
            "--admin-listen", f"127.0.0.1:{self.admin}", "--workers", "2",
            "--shadow-workers", "0", "--access-log", "off",
        ]  # fmt: skip
        self.pid = 0

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.admin}/api/v1"


class Stage:
    """A number of hosts; one alone has neither Redis nor PostgreSQL."""

    def __init__(self, folder: Path, count: int) -> None:
        self.hosts: list[Host] = []
        self.client = httpx.AsyncClient(timeout=PATIENCE)
        self._folder = folder
        self._count = count
        self._ends = contextlib.AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Start everything, and wait until every worker serves. Raises BenchError."""
        ports = {side: await self._side(side) for side in SIDES}
        shared = self._shared() if self._count > 1 else []
        products, _ = cores()
        for number in range(self._count):
            name = f"web{number + 1}"
            host = Host(name, self._folder / name, RULES.format(**ports))
            named = ["--host", name] if shared else []
            process = self._ends.enter_context(
                running([*host.command, *shared, *named], products, host.log)
            )
            host.pid = process.pid
            self.hosts.append(host)
        await self.settled()
        return self

    async def __aexit__(self, *_: object) -> None:
        """End everything."""
        await self.client.aclose()
        await self._ends.aclose()

    async def acting(self, among: list[Host] | None = None) -> Host | None:
        """Give the host that acts, by its own word."""
        for host in among or self.hosts:
            status = await self.status(host)
            if status and (self._count == 1 or status["acting"] == host.name):
                return host
        return None

    async def status(self, host: Host) -> dict[str, Any]:
        """Give what a host says; nothing when it does not answer."""
        try:
            answer = await self.client.get(f"{host.url}/status", timeout=0.5)
        except httpx.HTTPError:
            return {}
        return dict(answer.json())

    async def settled(self) -> Host:
        """Wait until the workers of all hosts serve by one version; gives the acting host."""
        deadline = asyncio.get_running_loop().time() + PATIENCE
        while asyncio.get_running_loop().time() < deadline:
            host = await self.acting()
            status = await self.status(host) if host is not None else {}
            workers = [each for each in status.get("workers", ()) if each["role"] == "worker"]
            there = [w for w in workers if w["connected"] and w["version"] == status["version"]]
            if host is not None and len(there) == 2 * self._count:
                return host
            await asyncio.sleep(0.05)
        said = [await self.status(host) for host in self.hosts]
        raise BenchError(f"the hosts do not agree: {said}; {last_words(self.hosts[0].log)}")

    def _shared(self) -> list[str]:
        """Start what the hosts share; gives the options that name it."""
        (self._folder / "shared").mkdir(parents=True)
        port, other = free_ports(2)
        redis = Redis(self._folder / "shared" / "redis", port, tied=True)
        postgres = Postgres(self._folder / "shared" / "postgres", other, "bench", tied=True)
        for server in (redis, postgres):
            server.start()
            self._ends.callback(server.stop)
        url = postgres.create_database("hosts", replace=True).sqlalchemy_url
        return ["--bus", redis.url(), "--store", url]

    async def _side(self, name: str) -> int:
        """Start an application that answers with its name; gives its port."""
        body = name.encode()
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    await reader.readuntil(b"\r\n\r\n")
                    writer.write(answer)
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        self._ends.callback(server.close)
        return int(server.sockets[0].getsockname()[1])
