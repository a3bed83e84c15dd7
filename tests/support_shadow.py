"""A side that answers as told, and a running shadow worker, for tests of shadow_compare."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

from shadow_compare.capture import Capture, Headers
from shadow_compare.compare import compare_json
from shadow_compare.config import Rewrite, ShadowConfig, ShadowSettings, SideConfig
from shadow_compare.intake import from_socket
from shadow_compare.normalize import Answer
from shadow_compare.pairs import Baselines, Pair
from shadow_compare.redact import Redactor
from shadow_compare.report import Report
from shadow_compare.rules import CompareRules
from shadow_compare.sample import kept_difference, take_sample
from shadow_compare.signature import signature_of
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.permits import Permits
from shadow_compare.store.record import Finding, Record
from shadow_compare.store.tables import metadata
from shadow_compare.tally import Count
from shadow_compare.worker import ShadowWorker
from shadow_compare.writes import Halt

_REDACTOR = Redactor(b"key")
WRITE_KEY = b"0123456789abcdef0123456789abcdef"
JSON: Headers = (("content-type", "application/json"),)


def http_answer(body: bytes, status: str = "200 OK", headers: Headers = JSON) -> bytes:
    """Write an HTTP answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


@dataclass
class Side:
    """An HTTP server whose `reply` turns a request's head into the bytes of the answer."""

    reply: Callable[[str], bytes | None] = lambda _head: http_answer(b"{}")
    heads: list[str] = field(default_factory=list)
    writers: list[asyncio.StreamWriter] = field(default_factory=list)
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request of one connection; a reply of None leaves it unanswered."""
        self.writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                self.heads.append(head)
                answer = self.reply(head)
                if answer is not None:
                    writer.write(answer)
                    await writer.drain()
        writer.close()


@asynccontextmanager
async def listening(side: Side) -> AsyncIterator[Side]:
    """Let a side listen on a free port."""
    server = await asyncio.start_server(side.serve, "127.0.0.1", 0)
    side.port = server.sockets[0].getsockname()[1]
    try:
        yield side
    finally:
        server.close()


@dataclass
class Running:
    """A running worker and what surrounds it."""

    worker: ShadowWorker
    report: Report
    database: Database
    socket: Path
    counts: list[Count]
    halts: list[Halt]
    pairs: list[Pair]
    baselines: list[Baselines]

    def total(self) -> dict[tuple[str, str], int]:
        """Count what `on_counts` was told, by verdict and reason."""
        found: dict[tuple[str, str], int] = {}
        for _, _, verdict, reason, _, count in self.counts:
            found[verdict, reason] = found.get((verdict, reason), 0) + count
        return found

    def configure(
        self,
        legacy: int,
        modern: int,
        routes: Mapping[str, CompareRules] | None = None,
        rewrites: Mapping[tuple[str, str], Rewrite] | None = None,
        version: int = 7,
        writes: Mapping[str, int] | None = None,
    ) -> None:
        """Tell the worker where both sides listen, and by which rules it goes."""
        sides = {
            name: SideConfig((f"http://127.0.0.1:{port}",))
            for name, port in (("legacy", legacy), ("modern", modern))
        }
        config = ShadowConfig(version, sides, routes or {}, rewrites or {}, writes=writes or {})
        self.worker.configure(config)

    async def send(self, *frames: bytes) -> None:
        """Write frames into the worker's socket, as a data plane does."""
        _, writer = await asyncio.open_unix_connection(str(self.socket))
        writer.writelines(frames)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def running_worker(
    directory: Path, settings: ShadowSettings | None = None, name: str = "shadow"
) -> AsyncIterator[Running]:
    """Run a worker with its store and socket in a directory."""
    database = Database(f"sqlite+aiosqlite:///{directory / 'cutover.db'}", metadata)
    counts: list[Count] = []
    halts: list[Halt] = []
    pairs: list[Pair] = []
    baselines: list[Baselines] = []

    def on_evidence(told: list[Pair], asked_twice: Baselines) -> None:
        pairs.extend(told)
        baselines.append(asked_twice)

    settings = settings or quick_settings()
    worker = ShadowWorker(
        settings,
        ComparisonStore(database),
        counts.extend,
        permits=Permits(database, settings.lost_write),
        on_halt=halts.append,
        on_evidence=on_evidence,
    )
    socket = directory / f"{name}.sock"
    task = asyncio.create_task(worker.run(from_socket(socket)))
    while not socket.exists():  # noqa: ASYNC110 - a file is the event
        await asyncio.sleep(0.005)
    try:
        yield Running(worker, Report(database), database, socket, counts, halts, pairs, baselines)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        await database.close()


def quick_settings(**changes: object) -> ShadowSettings:
    """Give settings that tell and store soon, so that tests wait little."""
    values = {"counts_interval": 0.02, "store_interval": 0.02, "deadline": 5.0, **changes}
    return ShadowSettings(redaction_key=b"key", write_key=WRITE_KEY, **values)  # type: ignore[arg-type] # ints and floats mixed


def a_capture(**changes: object) -> Capture:
    """Give a capture of GET /api/plans that legacy answered with {} just now, with changes."""
    values: dict[str, object] = {
        "id": "req-1",
        "route": "plans",
        "method": "GET",
        "target": "/api/plans",
        "request_headers": (("host", "shop.example"), ("accept", "application/json")),
        "request_body": b"",
        "primary": "legacy",
        "status": 200,
        "headers": JSON,
        "body": b"{}",
        "truncated": False,
        "at": time.time(),
        "latency": 0.01,
        "identity": 1,
        "version": 7,
    }
    return Capture(**{**values, **changes})  # type: ignore[arg-type] # one name per field


def a_mismatch(
    old: bytes = b'{"a":1}',
    new: bytes = b'{"a":2}',
    *,
    route: str = "plans",
    at: float = 3600.0,
    request_id: str = "r",
    version: int = 3,
    rules: CompareRules | None = None,
) -> Record:
    """Give the record of a mismatch."""
    comparison = compare_json(old, new, rules or CompareRules(), date(2026, 1, 1))
    capture = a_capture(id=request_id, route=route, body=old, at=at, version=version)
    candidate = Answer(200, JSON, new)
    return Record(
        route=route,
        at=at,
        version=version,
        verdict=comparison.verdict,
        finding=Finding(
            signature_of(route, comparison),
            comparison.critical,
            kept_difference(comparison.differences[0], _REDACTOR),
            partial(take_sample, capture, candidate, 0.1, comparison, _REDACTOR),
        ),
    )
