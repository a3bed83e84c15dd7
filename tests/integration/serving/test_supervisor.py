from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support import eventually

FAMILY = Path(__file__).with_name("family.py")
REPOSITORY = Path(__file__).parents[3]


class Family:
    """A running supervisor and what its children have written down."""

    def __init__(self, diary: Path, names: tuple[str, ...]) -> None:
        self._diary = diary
        diary.touch()
        self.process = subprocess.Popen(
            [sys.executable, str(FAMILY), str(diary), *names],
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
            stderr=subprocess.PIPE,
            text=True,
        )

    def pids(self, name: str) -> list[int]:
        """Give the process ids that a child has had so far."""
        lines = [line.split() for line in self._diary.read_text().splitlines()]
        return [int(pid) for who, pid in lines if who == name]

    @property
    def names(self) -> list[str]:
        """Give who has written, in order."""
        return [line.split()[0] for line in self._diary.read_text().splitlines()]

    def lives(self, name: str, count: int) -> list[int]:
        """Wait until a child has begun so many lives; give their process ids."""
        eventually(lambda: len(self.pids(name)) >= count, 30, f"{count} lives of {name}")
        return self.pids(name)

    def end(self, number: signal.Signals) -> str:
        """Send a signal, wait for the end, and give what was said."""
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=30)
        return said


Start = Callable[..., Family]


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Start]:
    """Give a way to start a family; it is ended afterwards."""
    started: list[Family] = []

    def start(*names: str) -> Family:
        started.append(Family(tmp_path / "diary", names))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            each.end(signal.SIGTERM)


def is_alive(pid: int) -> bool:
    """Say whether a process is there and has not ended."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_child_that_is_killed_is_started_again(family: Start) -> None:
    """The others do not notice, and it is said how it ended."""
    running = family("steady", "deaf")
    (first,), (other,) = running.lives("steady", 1), running.lives("deaf", 1)
    os.kill(first, signal.SIGKILL)
    second = running.lives("steady", 2)[1]
    assert second != first
    assert is_alive(second)
    assert running.pids("deaf") == [other]
    assert f"steady (pid {first}) ended by signal 9" in running.end(signal.SIGTERM)


def test_a_child_that_fails_at_once_is_started_again_and_again(family: Start) -> None:
    """With its mistake shown each time; the others go on."""
    running = family("steady", "short")
    lives = running.lives("short", 4)
    assert len(set(lives)) == len(lives)
    assert len(running.pids("steady")) == 1
    said = running.end(signal.SIGTERM)
    assert said.count("RuntimeError: a mistake of the child") >= 3
    assert f"short (pid {lives[0]}) ended with status 1" in said


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_whole_family(family: Start, number: signal.Signals) -> None:
    """Who listens ends in good order, who does not is killed; nobody is started again."""
    running = family("steady", "deaf")
    pids = running.lives("steady", 1) + running.lives("deaf", 1)
    running.end(number)
    assert running.process.returncode == 0
    assert running.pids("steady-ended") == pids[:1]
    assert not any(map(is_alive, pids))
    assert len(running.pids("steady")) == len(running.pids("deaf")) == 1


def test_a_child_that_stands_still_is_ended_and_started_again(family: Start) -> None:
    """The log says where it stood; the others do not notice."""
    running = family("steady", "hanging")
    first, second = running.lives("hanging", 2)[:2]
    assert first != second
    assert len(running.pids("steady")) == 1
    said = running.end(signal.SIGTERM)
    assert f"hanging (pid {first}) stands still and is ended" in said
    assert "Fatal Python error: Aborted" in said
    assert "in _hanging" in said
    assert f"hanging (pid {first}) ended by signal 6" in said


def test_sighup_has_everybody_read_anew(family: Start) -> None:
    """It touches nothing else."""
    running = family("reading", "steady")
    (pid,) = running.lives("reading", 1)
    running.lives("steady", 1)
    running.process.send_signal(signal.SIGHUP)
    assert running.lives("read", 1) == [pid]
    running.end(signal.SIGTERM)
    assert len(running.pids("steady")) == 1


def test_sigusr1_makes_the_kill_file(family: Start, tmp_path: Path) -> None:
    """It is durable and visible, and needs nobody but the supervisor."""
    running = family("steady")
    running.lives("steady", 1)
    running.process.send_signal(signal.SIGUSR1)
    eventually((tmp_path / "kill").exists)
    assert "SIGUSR1: the kill switch is on" in running.end(signal.SIGTERM)


def test_other_signals_end_nobody(family: Start) -> None:
    """A terminal that closes is no reason to stop serving."""
    running = family("steady")
    (pid,) = running.lives("steady", 1)
    running.process.send_signal(signal.SIGHUP)
    os.kill(pid, signal.SIGHUP)
    os.kill(pid, signal.SIGKILL)
    running.lives("steady", 2)
    assert running.process.poll() is None


def test_children_do_not_outlive_a_supervisor_that_is_killed(family: Start) -> None:
    """The kernel tells them: no orphan holds the ports."""
    running = family("steady")
    (pid,) = running.lives("steady", 1)
    running.end(signal.SIGKILL)
    eventually(lambda: not is_alive(pid))
    assert running.pids("steady-ended") == [pid]


def test_what_stops_first_is_gone_before_the_rest_is_asked(family: Start) -> None:
    """The data plane still has something to tell the controller while it drains."""
    it = family("steady", "draining")
    for name in ("steady", "draining"):
        it.lives(name, 1)
    it.end(signal.SIGTERM)
    assert it.process.returncode == 0
    assert it.names[-2:] == ["draining-ended", "steady-ended"]
