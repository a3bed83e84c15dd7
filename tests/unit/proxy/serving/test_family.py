from __future__ import annotations

import logging
import os
import signal

import pytest

from proxy.serving.child import Child
from proxy.serving.family import Family, how


def family(*children: Child) -> Family:
    """Give a family that owns nothing."""
    return Family(list(children), [], lambda: None, lambda *_: None)


def test_no_process_left_costs_patience_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others must not die of it, and it is tried again, less and less often."""

    def refuse() -> int:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    child = Child("worker", lambda: 0)
    it = family(child)
    with caplog.at_level(logging.ERROR):
        it.start_due()
    assert (child.pid, child.failures) == (0, 1)
    assert "worker cannot be started: [Errno 11] Resource temp" in caplog.text
    assert 0.0 < it.until_next() <= 0.1
    child.due = 0.0
    it.start_due()
    assert child.failures == 2


def test_a_stranger_is_collected_and_told_of() -> None:
    """A successor, or an orphan that fell to the first process of a container."""
    strangers: list[tuple[int, int]] = []
    it = Family([], [], lambda: None, lambda pid, status: strangers.append((pid, status)))
    if (pid := os.fork()) == 0:
        os._exit(3)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    it.reap()
    assert [(one, how(status)) for one, status in strangers] == [(pid, "with status 3")]
    it.reap()
    assert len(strangers) == 1


def test_who_is_dismissed_is_not_started_again() -> None:
    """Until wanted again."""
    child = Child("worker", lambda: 0)
    it = family(child)
    it.dismiss([child], signal.SIGTERM)
    assert it.settled
    it.start_due()
    assert not it.alive
    it.want([child])
    assert it.until_next() == 0.0
