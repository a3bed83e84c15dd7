"""One supervisor gives way to the next, or does not, and nobody who connects is refused."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from proxy.serving.claims import expects, holder
from tests.support import eventually

SERVICE = Path(__file__).with_name("service.py")
REPOSITORY = Path(__file__).parents[3]
PATIENCE = 60.0


class Service:
    """A running service, its diary, and a client who never stops asking."""

    def __init__(self, directory: Path, patience: float = 60.0) -> None:
        self.directory = directory
        self.answers: Counter[int] = Counter()
        self.failures: list[OSError] = []
        (directory / "diary").touch()
        self.will("")
        (directory / "patience").write_text(str(patience))
        with (directory / "log").open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SERVICE), str(directory)],
                env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
                stderr=log,
                start_new_session=True,
            )
        eventually(lambda: self.told("controller"), PATIENCE, "the service is up")
        self.port = int((directory / "port").read_text())
        self._asking = True
        self._client = threading.Thread(target=self._ask)
        self._client.start()

    def will(self, mode: str) -> None:
        """Say what a successor does."""
        (self.directory / "mode").write_text(mode)

    def told(self, what: str) -> list[int]:
        """Give the generations that have written this into the diary."""
        lines = [line.split() for line in (self.directory / "diary").read_text().splitlines()]
        return [int(generation) for name, generation, _ in lines if name == what]

    def upgrade(self) -> None:
        """Send SIGUSR2 to whoever has the roles."""
        os.kill(self.pid, signal.SIGUSR2)

    @property
    def pid(self) -> int:
        """Who has the roles."""
        found = holder(self.directory, "controller")
        assert found is not None
        return found

    @property
    def record(self) -> dict[str, Any]:
        """What is written of the last upgrade."""
        try:
            found: dict[str, Any] = json.loads((self.directory / "upgrade.json").read_text())
        except FileNotFoundError:
            return {}
        return found

    def came_to(self, state: str, number: int = 1) -> dict[str, Any]:
        """Wait until an upgrade has come out so."""

        def out() -> bool:
            return (self.record.get("number"), self.record.get("state")) == (number, state)

        eventually(out, PATIENCE, f"upgrade {number} is {state}")
        return self.record

    def serves(self, generation: int) -> None:
        """Wait until the client is answered by this generation, over and over."""
        before = self.answers[generation]
        eventually(lambda: self.answers[generation] > before + 20, PATIENCE, f"{generation} serves")

    def stop_asking(self) -> None:
        """Let the client go; everybody it asked must have answered."""
        self._asking = False
        self._client.join()

    def said(self) -> str:
        """Read the log."""
        return (self.directory / "log").read_text()

    def end(self) -> None:
        """Leave no process behind."""
        self.stop_asking()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)

    def _ask(self) -> None:
        while self._asking:
            try:
                with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as sock:
                    generation, _ = sock.makefile("rb").read().split()
                    self.answers[int(generation)] += 1
            except (OSError, ValueError) as error:
                self.failures.append(OSError(f"after {self.answers}: {error!r}"))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Give a running service."""
    it = Service(tmp_path)
    yield it
    it.end()


def ended(pid: int) -> Callable[[], bool]:
    """Give a way to ask whether a process has ended."""

    def has_ended() -> bool:
        try:
            return "\nState:\tZ" in Path(f"/proc/{pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return True

    return has_ended


def test_the_service_changes_hands(service: Service) -> None:
    """Twice; each old one ends by itself, with status 0, and the roles have always one holder."""
    first = service.pid
    assert expects(first, signal.SIGUSR2), "cutover upgrade asks before it sends the signal"
    service.serves(1)
    service.upgrade()
    record = service.came_to("done")
    second = service.pid
    assert (record["old"]["pid"], record["new"]["pid"]) == (first, second)
    service.serves(2)
    assert service.process.wait(PATIENCE) == 0
    service.upgrade()
    service.came_to("done", 2)
    service.serves(3)
    eventually(ended(second), PATIENCE)
    service.stop_asking()
    assert service.failures == []
    assert service.told("controller") == [1, 2, 3]
    assert service.told("controller-ended") == [1, 2]
    assert int((service.directory / "supervisor.pid").read_text()) == service.pid


@pytest.mark.parametrize(
    ("mode", "reason", "controllers"),
    [
        ("refuse", "not like this", [1]),
        ("die", "worker ended while starting", [1]),
        ("half", "controller ended while starting", [1, 2, 1]),
    ],
)
def test_a_successor_that_fails_changes_nothing(
    service: Service, mode: str, reason: str, controllers: list[int]
) -> None:
    """At whatever step: it is said why, the old one goes on, and the next one may succeed."""
    service.will(mode)
    service.upgrade()
    assert reason in service.came_to("failed")["reason"]
    eventually(lambda: service.told("controller") == controllers, PATIENCE)
    service.serves(1)
    assert service.pid == service.process.pid
    service.will("")
    service.upgrade()
    service.came_to("done", 2)
    service.serves(2)
    service.stop_asking()
    assert service.failures == []


@pytest.mark.parametrize("mode", ["hang", "gate", "wait"])
def test_a_successor_that_is_late_is_given_up(tmp_path: Path, mode: str) -> None:
    """Whatever it waits for, it is killed, and the old one goes on."""
    service = Service(tmp_path, patience=1.0)
    try:
        service.will(mode)
        service.upgrade()
        record = service.came_to("failed")
        assert "not ready within 1 s" in record["reason"]
        eventually(ended(record["new"]["pid"]), PATIENCE)
        eventually(lambda: service.told("controller")[-1] == 1, PATIENCE)
        service.serves(1)
        assert service.pid == service.process.pid
        service.stop_asking()
        assert service.failures == []
    finally:
        service.end()


def test_a_successor_that_is_killed_half_way_changes_nothing(service: Service) -> None:
    """Its controller is at work already, and its worker has clients."""
    service.will("wait")
    service.upgrade()
    service.serves(2)
    eventually(lambda: service.told("controller") == [1, 2], PATIENCE)
    os.kill(service.came_to("running")["new"]["pid"], signal.SIGKILL)
    assert "ended by signal 9" in service.came_to("failed")["reason"]
    eventually(lambda: service.told("controller") == [1, 2, 1], PATIENCE)
    service.serves(1)
    assert service.pid == service.process.pid
    service.stop_asking()
    assert service.failures == []


@pytest.mark.parametrize("mode", ["gate", "wait"])
def test_when_the_old_one_is_killed_the_new_one_is_the_service(service: Service, mode: str) -> None:
    """Before it was ready, or half-way: who connects meanwhile waits in the queue of the socket."""
    service.will(mode)
    service.upgrade()
    eventually(lambda: service.told("worker") == [1, 2], PATIENCE)
    if mode == "wait":
        eventually(lambda: service.told("controller") == [1, 2], PATIENCE)
    os.kill(service.process.pid, signal.SIGKILL)
    service.process.wait(PATIENCE)
    (service.directory / "go").touch()
    service.serves(2)
    eventually(lambda: service.told("controller")[-1] == 2, PATIENCE)
    eventually(lambda: service.pid != service.process.pid, PATIENCE)
    service.stop_asking()
    assert service.failures == []


def test_a_second_upgrade_waits_for_nobody(service: Service) -> None:
    """It is refused while the first is under way."""
    service.will("gate")
    service.upgrade()
    eventually(lambda: service.told("worker") == [1, 2], PATIENCE)
    service.upgrade()
    eventually(lambda: "under way already" in service.said(), PATIENCE)
    (service.directory / "go").touch()
    service.came_to("done")
    service.serves(2)
    service.stop_asking()
    assert service.failures == []
    assert service.told("worker") == [1, 2]


def test_to_stop_the_old_one_stops_both(service: Service) -> None:
    """Whoever asked for it wants the service to end."""
    service.will("gate")
    service.upgrade()
    eventually(lambda: service.told("worker") == [1, 2], PATIENCE)
    new = service.came_to("running")["new"]["pid"]
    service.stop_asking()
    service.process.send_signal(signal.SIGTERM)
    assert service.process.wait(PATIENCE) == 0
    eventually(ended(new), PATIENCE)
    assert service.record["state"] == "failed"
    assert service.told("controller-ended") == [1]
    assert not (service.directory / "supervisor.pid").exists()


def test_to_stop_the_new_one_leaves_the_old_one(service: Service) -> None:
    """It was not the service yet."""
    service.will("wait")
    service.upgrade()
    eventually(lambda: service.told("controller") == [1, 2], PATIENCE)
    os.kill(service.came_to("running")["new"]["pid"], signal.SIGTERM)
    assert "told to stop" in service.came_to("failed")["reason"]
    eventually(lambda: service.told("controller") == [1, 2, 1], PATIENCE)
    service.serves(1)
    service.stop_asking()
    assert service.failures == []
