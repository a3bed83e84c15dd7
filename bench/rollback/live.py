"""The live part: a whole proxy under 1,000 requests a second, and a modern that goes wrong.

What went to modern is read from the access log: a request that was decided for modern has been
routed to it, whoever answered in the end. Each run begins with seconds in which all is well, goes
on until the controller has taken the route back, and ends with the route resumed.

The window rule is kept out by a large `min_requests`: after one second its window is nearly empty,
and it would be faster than after an hour of good requests. The detectors are not.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bench.processes import BenchError, await_listening, cores, free_ports, running
from bench.rollback.crowd import Crowd
from bench.rollback.sides import SLOW, Side, Trouble

ROUTE = "plans"
PATH = "/api/plans"
WELL = 1.0
"""Seconds of each run in which modern is well."""

PATIENCE = 30.0
SETTLE = 0.6
"""Seconds after a rollback until the access log has been written, besides what an answer takes."""

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"], max_connections: 256}}
  modern: {{instances: ["http://127.0.0.1:{modern}"], max_connections: 256}}
routes:
  - id: plans
    match: {{path: /api/plans}}
    weight: 10%
    sticky_by: [cookie:PHPSESSID, client_ip]
    mirror: {{share: {mirror}, towards: [modern, legacy]}}
    compare: {{critical: ["$.data[*].price"]}}
    rollback:
      error_rate: {error_rate}
      p95: 200ms
      min_requests: 1000000
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One time that modern went wrong.

    `seconds` is from the first bad event (of a dead side, from its death) to the last request that
    was routed to modern, `routed` how many were from then on, `failed` how many of them modern
    failed, and `seen` how many clients saw an error.
    """

    trouble: Trouble
    seconds: float
    routed: int
    failed: int
    seen: int
    detector: str


async def measure(
    troubles: tuple[Trouble, ...], runs: int, error_rate: str, mirror: str
) -> dict[Trouble, list[Run]]:
    """Run each trouble so many times; raises BenchError.

    `error_rate` is what is tolerated, `mirror` the share of the requests that is mirrored.
    """
    folder = Path(tempfile.mkdtemp(prefix="cutover-rb-"))
    try:
        async with _stack(folder, error_rate, mirror) as scene:
            return {
                trouble: [await scene.run(trouble, number) for number in range(runs)]
                for trouble in troubles
            }
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.asynccontextmanager
async def _stack(folder: Path, error_rate: str, mirror: str) -> AsyncIterator[_Scene]:
    legacy, modern, listen, admin = free_ports(4)
    rules, log = folder / "routing_rules.yaml", folder / "log"
    rules.write_text(
        RULES.format(legacy=legacy, modern=modern, error_rate=error_rate, mirror=mirror)
    )
    sides = [Side(legacy, 1), Side(modern, 2)]
    for side in sides:
        await side.start()
    command = [
        sys.executable, "-m", "proxy", "serve", "--rules", str(rules),
        "--state", str(folder / "state"), "--workers", "1",
        "--listen", f"127.0.0.1:{listen}", "--admin-listen", f"127.0.0.1:{admin}",
        "--access-log", str(folder / "access.log"),
    ]  # fmt: skip
    ours, _ = cores()
    with running(command, ours, log) as process:
        await asyncio.to_thread(await_listening, listen, process, log)
        await asyncio.to_thread(await_listening, admin, process, log)
        crowd = Crowd(listen, PATH, 3)
        asking = asyncio.create_task(crowd.run())
        try:
            yield _Scene(crowd, sides[1], admin, folder / "access.log")
        finally:
            asking.cancel()
            await asyncio.gather(asking, return_exceptions=True)


class _Scene:
    """A proxy with its clients."""

    def __init__(self, crowd: Crowd, modern: Side, admin: int, access_log: Path) -> None:
        self._crowd = crowd
        self._modern = modern
        self._admin = admin
        self._log = access_log
        self._read = 0

    async def run(self, trouble: Trouble, number: int) -> Run:
        """Let modern go wrong once."""
        await self._until_well()
        await asyncio.sleep(WELL)
        before, since = self._crowd.failed, time.time()
        self._skip_log()
        await self._modern.fall_ill(trouble)
        await self._until(lambda route: route["phase"] == "ROLLED_BACK", "a rollback")
        await asyncio.sleep(SETTLE + (SLOW if trouble is Trouble.SLOW else 0.0))
        bad_since, seen = self._modern.bad_since, self._crowd.failed - before
        await self._modern.fall_ill(Trouble.NONE)
        decision = (await self._get(f"/decisions?route={ROUTE}&limit=1"))["decisions"][0]
        run = self._account(trouble, since, bad_since, seen, decision["evidence"]["detector"])
        reason = {"reason": f"run {number + 1} is over", "author": "bench", "force": True}
        await self._call("POST", f"/routes/{ROUTE}/resume", reason)
        return run

    def _account(
        self, trouble: Trouble, since: float, bad_since: float | None, seen: int, detector: str
    ) -> Run:
        """Read from the access log what became of the requests."""
        first = since if bad_since is None else bad_since  # who is dead answers nothing
        routed = [
            line for line in self._lines() if line["decided"] == "modern" and line["at"] >= first
        ]
        failed = [
            line for line in routed if line["side"] != "modern" or line["outcome"] != "ok"
        ]  # fmt: skip
        last = max((line["started"] for line in routed), default=first)
        return Run(trouble, max(0.0, last - first), len(routed), len(failed), seen, detector)

    def _skip_log(self) -> None:
        self._read = self._log.stat().st_size

    def _lines(self) -> list[dict[str, Any]]:
        with self._log.open("rb") as file:
            file.seek(self._read)
            # What stood half written when it was skipped to begins in the middle.
            found = [line for line in file.read().splitlines() if line.startswith(b"{")]
        lines = []
        for text in found:
            with contextlib.suppress(ValueError):
                line = json.loads(text)
                line["at"] = datetime.fromisoformat(line["at"]).timestamp()
                line["started"] = line["at"] - line["total_ms"] / 1000
                lines.append(line)
        return lines

    async def _until_well(self) -> None:
        await self._until(lambda route: route["phase"] == "CANARY", "traffic on modern")

    async def _until(self, what: Any, words: str) -> None:
        end = time.monotonic() + PATIENCE
        while not what(await self._get(f"/routes/{ROUTE}")):
            if time.monotonic() > end:
                raise BenchError(f"no {words} within {PATIENCE:g} s")
            await asyncio.sleep(0.1)

    async def _get(self, path: str) -> Any:
        return await self._call("GET", path)

    async def _call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the admin API."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._admin)
        sent = json.dumps(body).encode() if body is not None else b""
        head = (
            f"{method} /api/v1{path} HTTP/1.1\r\nHost: 127.0.0.1:{self._admin}\r\n"
            f"Connection: close\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(sent)}\r\n\r\n"
        )
        writer.write(head.encode() + sent)
        answer = await reader.read()
        writer.close()
        status, _, rest = answer.partition(b"\r\n\r\n")
        if not status.startswith(b"HTTP/1.1 200"):
            raise BenchError(f"{method} {path}: {answer[:300].decode(errors='replace')}")
        return json.loads(rest)
