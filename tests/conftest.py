"""Fixtures over the local stack: real servers, each started once, when the first test needs it.

They listen on free ports of the loopback address, keep their data in a private directory, and end
with the test session: in good order at its end or on Ctrl-C, and by the kernel when it is killed.
"""

from __future__ import annotations

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import settings

from deploy.stack import Database, Options, Ports, Stack
from deploy.stack.mariadb import MariaDb
from deploy.stack.postgres import Postgres
from deploy.stack.redis import Redis
from proxy import compiled

# The source is what is tested, here and in the processes that tests start, whether or not there is
# a build; `make test-compiled` asks for the compiled form.
compiled.use(os.environ.setdefault("CUTOVER_COMPILED", "0"))

# Nothing is judged by how long it takes: machines are shared. What the source has shown with many
# examples the compiled form shows again with fewer; --hypothesis-profile=thorough looks for more.
settings.register_profile("source", deadline=None, max_examples=60)
settings.register_profile("compiled", deadline=None, max_examples=25)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("source" if os.environ["CUTOVER_COMPILED"] == "0" else "compiled")


def pytest_configure() -> None:
    """Let SIGTERM end the session as Ctrl-C does: with every fixture torn down."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what the compiled form is not asked, when that is what is tested."""
    if os.environ["CUTOVER_COMPILED"] != "0":
        built = frozenset(compiled.Manifest.read(compiled.BUILD).modules)
        left_out = {item for item in items if _is_for_the_source(item, built)}
        config.hook.pytest_deselected(items=list(left_out))
        items[:] = [item for item in items if item not in left_out]


def pytest_collection_finish() -> None:
    """Have the garbage collector pass over thousands of tests, which stay to the end."""
    gc.collect()
    gc.freeze()


def _is_for_the_source(item: pytest.Item, built: frozenset[str]) -> bool:
    """Say whether the source alone is tried.

    So it is with messages in two reads: what a compiler could get wrong shows byte by byte, too;
    and with the tests of a module that is not compiled.
    """
    from tests.support_wire import in_two  # not above: it imports what has to be compiled

    split = item.callspec.params.get("split") if hasattr(item, "callspec") else None
    asked = split is in_two or item.get_closest_marker("source_only") is not None
    return asked or _module_under_test(item.path) not in built | {None}


def _module_under_test(test: Path) -> str | None:
    """Give the name of the module that a unit test mirrors, or None when it mirrors none."""
    units = compiled.ROOT / "tests" / "unit"
    if not test.is_relative_to(units):
        return None
    source = test.relative_to(units).with_name(test.name.removeprefix("test_"))
    is_there = (compiled.ROOT / source).exists()
    return ".".join(source.with_suffix("").parts) if is_there else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Count a skipped test as a failure: a server that is missing must not pass for a success."""
    report = yield
    return _not_skipped(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Count a skipped module as a failure too."""
    report = yield
    return _not_skipped(report)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many tests of each part ran, and how long they took."""
    parts: dict[str, list[float]] = {}
    for report in terminalreporter.getreports("passed") + terminalreporter.getreports("failed"):
        if isinstance(report, pytest.TestReport):
            parts.setdefault(_part(report.nodeid), []).append(report.duration)
    if len(parts) > 1:
        terminalreporter.section("what ran")
        for part, durations in sorted(parts.items()):
            line = f"{part:<32} {len(durations):>5} tests {sum(durations):>7.1f} s"
            terminalreporter.write_line(line)


def _part(nodeid: str) -> str:
    folders = Path(nodeid.partition("::")[0]).parent.parts[1:]
    return "/".join(folders[:2]) or "tests"


Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)


def _not_skipped(report: Report) -> Report:
    if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"no test may be skipped, but this one was: {report.longrepr}"
    return report


@dataclass(frozen=True)
class LegacyApp:
    """The running legacy application."""

    base_url: str
    database: Database


@dataclass(frozen=True)
class ModernApp:
    """The running modern application; database_url is as SQLAlchemy wants it."""

    base_url: str
    database: Database
    redis_url: str

    @property
    def database_url(self) -> str:
        """The value of DATABASE_URL that it was started with."""
        return self.database.sqlalchemy_url


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Give a stack of which nothing runs yet: `stack.ensure("legacy")` starts a part of it."""
    run_dir = Path(tempfile.mkdtemp(prefix="cutover-tests-"))
    stack = Stack(run_dir, Ports.free(), Options(fast=True, tied=True))
    try:
        yield stack
    finally:
        stack.down()
        shutil.rmtree(run_dir, ignore_errors=True)


@pytest.fixture(scope="session")
def mariadb_server(stack: Stack) -> MariaDb:
    """Give a running MariaDB; `create_database(name)` makes a database with its own account."""
    stack.ensure("mariadb")
    return stack.mariadb


@pytest.fixture(scope="session")
def postgres_server(stack: Stack) -> Postgres:
    """Give a running PostgreSQL; `create_database(name)` makes a database with its own account."""
    stack.ensure("postgres")
    return stack.postgres


@pytest.fixture(scope="session")
def redis_server(stack: Stack) -> Redis:
    """Give a running Redis; `url(db)` is the address of one of its numbered databases."""
    stack.ensure("redis")
    return stack.redis


@pytest.fixture(scope="session")
def legacy_database(stack: Stack) -> Database:
    """Give the legacy database with its schema and seed data, as the legacy application uses it."""
    stack.ensure("seed")
    return stack.seed.database


@pytest.fixture(scope="session")
def legacy_app(stack: Stack) -> LegacyApp:
    """Give the legacy application, running on its seeded database."""
    stack.ensure("legacy")
    return LegacyApp(f"http://{stack.legacy.address}", stack.seed.database)


@pytest.fixture(scope="session")
def modern_database(stack: Stack) -> Database:
    """Give the modern database with its newest schema and the copied rows."""
    stack.ensure("copy")
    return stack.schema.database


@pytest.fixture(scope="session")
def modern_app(stack: Stack) -> ModernApp:
    """Give the modern application, running on the copied data."""
    stack.ensure("modern")
    return ModernApp(f"http://{stack.modern.address}", stack.schema.database, stack.redis.url())
