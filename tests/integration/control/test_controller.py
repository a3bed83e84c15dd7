from __future__ import annotations

import asyncio
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from proxy.control.bus.base import BusError
from proxy.control.bus.local import LocalUplink
from proxy.control.controller import Controller
from proxy.control.status import RouteStatus
from proxy.control.store.sql import SqlStore
from proxy.outcome import BadEvent, OutcomeBatch, OutcomeKind, Tally
from tests.contracts.bus import Ears, running, until
from tests.integration.control.controller_process import controller_in
from tests.support_control import RULES

HELLO = {"role": "worker", "index": 0, "pid": os.getpid()}
ME = "me"


class Worker(Ears):
    """A data plane worker as the controller sees one: it hears snapshots and reports outcomes."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        self.uplink = LocalUplink(
            directory / "bus.sock", HELLO, self.on_message, self.states.append
        )

    @property
    def snapshot(self) -> dict[str, Any]:
        """The latest snapshot, or an empty one."""
        return self.messages[-1][1] if self.messages else {"version": 0, "rolled_back": []}

    def fail(self, customers: int) -> None:
        """Report that so many customers met a failure of modern."""
        now = time.time()
        events = [
            BadEvent(now, n, OutcomeKind.CONNECT, 0, 0.001, "GET", "/api/plans", f"r{n}")
            for n in range(customers)
        ]
        batch = OutcomeBatch(0, os.getpid(), self.snapshot["version"], now)
        batch.tallies["plans", "modern"] = Tally(customers, 0, 0, customers, bad_events=events)
        assert self.uplink.send("outcomes", batch.to_wire())


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Give a state directory with rules."""
    (tmp_path / "routing_rules.yaml").write_text(RULES)
    return tmp_path


@pytest.fixture
async def controller(directory: Path) -> AsyncIterator[Controller]:
    """Give a running controller."""
    controller = controller_in(directory)
    await controller.start()
    task = asyncio.create_task(controller.run())
    yield controller
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    await controller.close()


@pytest.fixture
async def worker(directory: Path, controller: Controller) -> AsyncIterator[Worker]:
    """Give a connected worker that has its first snapshot."""
    worker = Worker(directory)
    async with running(worker.uplink):
        await until(lambda: worker.snapshot["version"] == controller.status().version)
        yield worker


def plans(controller: Controller) -> RouteStatus:
    """The route under test."""
    return controller.status().routes[0]


async def test_breach_reaches_workers_and_store(controller: Controller, worker: Worker) -> None:
    """Failures on one end of the socket come back as a rollback, and are written down."""
    worker.fail(20)
    await until(lambda: worker.snapshot["rolled_back"] == ["plans"])
    assert (await controller.decisions())[0].action == "rollback"
    assert plans(controller).weight_in_force == 0


async def test_edit_reaches_workers(
    controller: Controller, worker: Worker, directory: Path
) -> None:
    """An edit, by renaming or in place, comes to every worker; a bad one does not."""
    file = directory / "routing_rules.yaml"
    file.write_text(RULES.replace("weight: 50%", "weight: 60%"))
    await until(lambda: worker.snapshot["version"] == 2)
    fresh = directory / "fresh"
    fresh.write_text("routes: [")
    fresh.replace(file)
    await until(lambda: controller.status().rules_problem is not None)
    assert worker.snapshot["version"] == 2
    fresh.write_text(RULES)
    fresh.replace(file)
    await until(lambda: worker.snapshot["version"] == 3)
    assert controller.status().rules_problem is None


async def test_store_deleted_under_use(
    controller: Controller, worker: Worker, directory: Path
) -> None:
    """A deleted SQLite file comes back by itself, with version, rollback and decisions."""
    worker.fail(20)
    await until(lambda: worker.snapshot["rolled_back"] == ["plans"])
    database = directory / "cutover.db"
    for name in (
        database,
        database.with_name("cutover.db-wal"),
        database.with_name("cutover.db-shm"),
    ):
        name.unlink(missing_ok=True)
    await until(lambda: _stored_versions(directory) == 2)
    again = SqlStore(f"sqlite+aiosqlite:///{database}")
    assert (await again.versions())[0].rolled_back == ("plans",)
    assert [d.action for d in await again.decisions()] == ["rollback", "load"]
    await again.close()
    assert controller.status().store_problem is None


async def test_store_replaced_by_rubbish(
    controller: Controller, worker: Worker, directory: Path
) -> None:
    """A store that turns into rubbish stops nothing; the next change is in force and written."""
    database = directory / "cutover.db"
    rubbish = directory / "rubbish"
    rubbish.write_bytes(os.urandom(50_000))
    rubbish.replace(database)
    await controller.set_weight("plans", 2000, author=ME, reason="go on")
    await until(lambda: worker.snapshot["version"] == 2)
    await until(lambda: controller.status().store_problem is None)
    assert [v.number for v in await controller.versions()] == [2, 1]


async def test_place_that_cannot_be_written(
    controller: Controller, worker: Worker, directory: Path
) -> None:
    """With the store's place taken, changes go on, the status says so, and it heals."""
    database = directory / "cutover.db"
    database.unlink()
    database.mkdir()
    record = await controller.rollback("plans", author=ME, reason="to be safe")
    await until(lambda: worker.snapshot["rolled_back"] == ["plans"])
    assert controller.status().store_problem is not None
    assert await controller.version(record.number) == record
    database.rmdir()
    await until(lambda: controller.status().store_problem is None)


async def test_second_controller_is_refused(controller: Controller, directory: Path) -> None:
    """A second controller on the same directory is told who runs there, and changes nothing."""
    with pytest.raises(BusError, match="another controller"):
        await controller_in(directory).start()
    assert controller.status().version == 1


@contextmanager
def controller_process(directory: Path) -> Iterator[Callable[[], None]]:
    """Run a controller in a process, and give what kills it without warning."""
    command = [sys.executable, "-m", "tests.integration.control.controller_process", str(directory)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE)

    def kill() -> None:
        child.kill()
        child.wait()

    try:
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        yield kill
    finally:
        kill()
        if child.stdout is not None:
            child.stdout.close()


@pytest.mark.parametrize("lost", ["nothing", "cutover.db", "snapshot.json"])
async def test_killed_and_started_again(directory: Path, lost: str) -> None:
    """A rollback outlives kill -9 of its controller, with either of its two memories lost."""
    worker = Worker(directory)
    async with running(worker.uplink):
        with controller_process(directory) as kill:
            await until(lambda: worker.snapshot["version"] == 1)
            worker.fail(20)
            await until(lambda: worker.snapshot["rolled_back"] == ["plans"])
            if lost == "snapshot.json":  # then the store must have it
                await until(lambda: _stored_versions(directory) == 2)
            kill()
        await until(lambda: worker.states[-1] is False)
        (directory / lost).unlink(missing_ok=True)
        worker.messages.clear()
        with controller_process(directory):
            await until(lambda: worker.snapshot["version"] == 2)
            assert worker.snapshot["rolled_back"] == ["plans"]


def _stored_versions(directory: Path) -> int:
    connection = sqlite3.connect(directory / "cutover.db")
    try:
        [(number,)] = connection.execute("SELECT count(*) FROM control_versions")
    except sqlite3.OperationalError:
        return 0  # not there yet
    finally:
        connection.close()
    return int(number)
