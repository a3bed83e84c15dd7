from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import pytest

from proxy.serving.claims import Papers
from tests.support_commands import Result, cutover

DONE = {
    "state": "done",
    "reason": "",
    "old": {"pid": 4711, "version": "0.1.0"},
    "new": {"pid": 5290, "version": "0.2.0"},
    "seconds": 1.94,
}
FAILED = {**DONE, "state": "failed", "reason": "rules.yaml: line 3", "new": {"pid": 5290}}


class Running:
    """Supervisors that answer SIGUSR2 by what they write down."""

    def __init__(self, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state = state
        self.holders: dict[str, int] = dict.fromkeys(("data-plane", "controller", "shadow"), 4711)
        self.signalled: list[int] = []
        self.outcome: dict[str, Any] | None = DONE
        self.role = "all"
        self.number = 1
        self.problem: OSError | None = None
        self.expects = True
        monkeypatch.setattr("proxy.commands.upgrade.holder", lambda _, role: self.holders.get(role))
        monkeypatch.setattr("proxy.commands.upgrade.expects", lambda *_: self.expects)
        monkeypatch.setattr("proxy.commands.upgrade.os.kill", self._kill)

    def _kill(self, pid: int, number: int) -> None:
        assert number == signal.SIGUSR2
        if self.problem is not None:
            raise self.problem
        self.signalled.append(pid)
        self.say("running")

    def say(self, state: str) -> None:
        """Write down where it stands."""
        Papers(self.state, self.role).record({**DONE, "state": state, "number": self.number})

    def sleep(self, _: float) -> None:
        """Let the upgrade come out."""
        if self.outcome is not None:
            record = {**self.outcome, "number": self.number}
            Papers(self.state, self.role).record(record)

    def upgrade(self, *options: str) -> Result:
        """Run the command."""
        return cutover("upgrade", "--state", str(self.state), *options, sleep=self.sleep)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    """Give one supervisor with all roles."""
    return Running(tmp_path, monkeypatch)


def test_it_says_who_gave_way_to_whom(running: Running) -> None:
    """Processes, versions, and how long it took."""
    result = running.upgrade()
    assert (result.code, result.err) == (0, "")
    assert result.out.startswith(
        "upgraded in 1.9 s: process 4711 (0.1.0) gave way to 5290 (0.2.0), and ends when"
    )
    assert running.signalled == [4711]


def test_it_says_why_not(running: Running) -> None:
    """And that nothing has happened."""
    running.outcome = FAILED
    result = running.upgrade()
    assert result.code == 1
    assert result.err == (
        "cutover: not upgraded, process 4711 goes on as it was: rules.yaml: line 3\n"
    )


def test_scripts_get_json(running: Running) -> None:
    """With one entry for each supervisor."""
    told = json.loads(running.upgrade("--json").out)["upgrades"]
    assert [(one["state"], one["new"]["pid"]) for one in told] == [("done", 5290)]


def test_one_that_is_under_way_is_waited_for(running: Running) -> None:
    """The supervisor refuses a second; what comes of the first is the answer."""
    running.say("running")
    assert running.upgrade().code == 0


def test_the_last_one_is_not_taken_for_this_one(running: Running) -> None:
    """It has a number of its own."""
    running.say("done")
    running.number, running.outcome = 2, FAILED
    assert running.upgrade().code == 1


def test_a_supervisor_that_says_nothing_is_not_waited_for_ever(running: Running) -> None:
    """It is too old for this, or it hangs."""
    running.number, running.outcome = 0, None
    result = running.upgrade()
    assert result.code == 1
    assert "did not say how it went within 5 s; see its log" in result.err


def test_supervisors_of_single_roles_are_upgraded_one_by_one(running: Running) -> None:
    """Whoever runs the roles apart has several in one directory."""
    running.holders = {"shadow": 12}
    running.role = "shadow"
    assert running.upgrade().code == 0
    assert running.signalled == [12]


def test_nobody_is_ended_by_the_signal(running: Running) -> None:
    """That is what it does to a program that does not know of it."""
    running.expects = False
    result = running.upgrade()
    assert (result.code, running.signalled) == (1, [])
    assert "of a version that cannot be upgraded while it runs" in result.err


@pytest.mark.parametrize("options", [(), ("--json",)])
def test_nobody_to_upgrade(tmp_path: Path, options: tuple[str, ...]) -> None:
    """As when no API answers."""
    result = cutover("upgrade", "--state", str(tmp_path), *options)
    assert result.code == 3
    assert "name its directory with --state DIR" in result.out + result.err


@pytest.mark.parametrize(
    ("problem", "code", "words"),
    [
        (PermissionError(), 2, "belongs to another user"),
        (ProcessLookupError(), 1, "has just ended"),
    ],
)
def test_who_cannot_be_told(running: Running, problem: OSError, code: int, words: str) -> None:
    """Each with what to do."""
    running.problem = problem
    result = running.upgrade()
    assert (result.code, words in result.err) == (code, True)
