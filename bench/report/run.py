"""Fill, ask, print."""

from __future__ import annotations

import argparse
import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.report.filled import NOW, ROUTES, Size, fill
from bench.report.pages import PAGES, Admin
from deploy.stack import Options, Ports, Stack
from shadow_compare.report import Filters, Report
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.pruning import Retention
from shadow_compare.store.record import Record
from shadow_compare.store.tables import metadata

LIMIT_MS: Final = 200.0
Asked = Callable[[], Awaitable[object]]


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print a table, and give figures; failed when a page takes longer than 200 ms."""
    options = _parser().parse_args(argv)
    size = Size(options.comparisons, options.signatures, options.samples)
    found: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="cutover-bench-") as folder:
        if options.on != "postgresql":
            url = f"sqlite+aiosqlite:///{folder}/cutover.db"
            found["sqlite"] = asyncio.run(_measure(url, size, options.rounds))
        if options.on != "sqlite":
            with _postgres(Path(folder)) as url:
                found["postgresql"] = asyncio.run(_measure(url, size, options.rounds))
    _print(found)
    return _result(found)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench report", description=__doc__)
    parser.add_argument("--comparisons", type=int, default=1_000_000, metavar="N")
    parser.add_argument("--signatures", type=int, default=20_000, metavar="N")
    parser.add_argument("--samples", type=int, default=100_000, metavar="N")
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="of each query")
    parser.add_argument("--on", choices=("both", "sqlite", "postgresql"), default="both")
    return parser


@contextmanager
def _postgres(folder: Path) -> Iterator[str]:
    """Run a PostgreSQL of our own."""
    stack = Stack(folder / "stack", Ports.free(), Options(fast=True, tied=True))
    try:
        stack.ensure("postgres")
        yield stack.postgres.create_database("report").sqlalchemy_url
    finally:
        stack.down()


async def _measure(url: str, size: Size, rounds: int) -> dict[str, list[float]]:
    """Give the milliseconds of each query and page, one number for each round."""
    database = Database(url, metadata)
    try:
        started = time.perf_counter()
        await fill(database, size, random.Random(7))
        await _vacuum(url)
        print(f"{url.partition(':')[0]}: filled in {time.perf_counter() - started:.0f} s")
        report = Report(database)
        admin = Admin(report, ROUTES, NOW)
        asked: dict[str, Asked] = {**_queries(report), **{p: admin.asking(p) for p in PAGES}}
        asked |= _writing(ComparisonStore(database))
        times: dict[str, list[float]] = {name: [] for name in asked}
        for turn in range(rounds + 1):
            for name, ask in asked.items():
                started = time.perf_counter()
                await ask()
                if turn:  # the first one fills caches
                    times[name].append(1000 * (time.perf_counter() - started))
        return times
    finally:
        await database.close()


async def _vacuum(url: str) -> None:
    """Do what autovacuum has done long since where so much came in over weeks.

    In the minute after a bulk load PostgreSQL knows nothing of the tables: it plans for few rows,
    and looks into the table for every row that an index has.
    """
    if not url.startswith("postgresql"):
        return
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    try:
        async with engine.connect() as connection:
            await connection.execute(text("VACUUM (ANALYZE)"))
    finally:
        await engine.dispose()


def _queries(report: Report) -> dict[str, Asked]:
    route, since = ROUTES[3], NOW - 7.3 * 86_400
    return {
        "coverage": report.coverage,
        "coverage of a route": lambda: report.coverage(route=route),
        "coverage since a week": lambda: report.coverage(since=since),
        "coverage since an hour": lambda: report.coverage(since=NOW - 3_700),
        "signatures": lambda: report.signatures(limit=50),
        "signatures, page 200": lambda: report.signatures(limit=50, offset=10_000),
        "signatures of a route": lambda: report.signatures(Filters(route=route), limit=50),
        "signatures, open": lambda: report.signatures(Filters(state="open"), limit=50),
        "signatures, open, of a route": lambda: report.signatures(
            Filters(route=route, state="open")
        ),
        "signatures, critical": lambda: report.signatures(Filters(critical=True), limit=50),
        "search, nothing found": lambda: report.signatures(Filters(search="nowhere")),
        "search, 4 words": lambda: report.signatures(
            Filters(search="value_changed missing 29.5 nowhere")
        ),
        "search, much found": lambda: report.signatures(Filters(search="field")),
        "kind and version": lambda: report.signatures(Filters(kind="missing", since_version=8)),
        "proposals": report.proposals,
        "signature with samples": lambda: report.signature(f"{77:016x}"),
    }


def _writing(store: ComparisonStore) -> dict[str, Asked]:
    batch = [Record(ROUTES[i % 20], float(NOW), 9, "match", status=200) for i in range(500)]
    return {
        "write 500 comparisons": lambda: store.record(batch),
        "prune, nothing to do": lambda: store.prune(NOW, Retention(bytes=10**10)),
    }


def _print(found: dict[str, dict[str, list[float]]]) -> None:
    print(f"{'milliseconds':<46}" + "".join(f"{name + ' p50':>16}{'max':>8}" for name in found))
    for asked in next(iter(found.values())):
        cells = "".join(
            f"{statistics.median(times[asked]):>16.1f}{max(times[asked]):>8.1f}"
            for times in found.values()
        )
        print(f"{asked:<46}{cells}")
    for name, times in found.items():
        page = max(_asked(times), key=lambda each: max(times[each]))
        print(f"longest single one on {name}: {page}, {max(times[page]):.0f} ms")


def _result(found: dict[str, dict[str, list[float]]]) -> dict[str, Any]:
    asked = {name: [times[page] for page in _asked(times)] for name, times in found.items()}
    slowest = {
        f"slowest_page_{name}_ms_p50": round(max(map(statistics.median, times)), 1)
        for name, times in asked.items()
    }
    longest = {
        f"slowest_page_{name}_ms_max": round(max(map(max, times)), 1)
        for name, times in asked.items()
    }
    result: dict[str, Any] = {"ratios": {}, "figures": {**slowest, **longest}}
    if any(value > LIMIT_MS for value in slowest.values()):
        result["failed"] = f"a page takes longer than {LIMIT_MS:.0f} ms"
    return result


def _asked(times: dict[str, list[float]]) -> list[str]:
    return [name for name in times if not name.startswith(("write", "prune"))]
