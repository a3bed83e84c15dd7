"""The parent of all processes: starts them, restarts a dead one with back-off, stops them in order.

It forks before any thread or event loop exists, holds the listening sockets so that a worker's
death refuses no connection, and does nothing else: there is little in it that could fail.
"""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

BACKOFF_FIRST: Final = 0.1
BACKOFF_MAX: Final = 5.0
STEADY: Final = 10.0
"""Seconds before the first restart, at most, and of life after which a child counts as well."""

_PR_SET_PDEATHSIG: Final = 1

log = logging.getLogger(__name__)


def backoff(failures: int) -> float:
    """Seconds to wait before the next start after so many short lives in a row."""
    return min(BACKOFF_MAX, BACKOFF_FIRST * float(2 ** min(failures - 1, 10))) if failures else 0.0


@dataclass(slots=True)
class Child:
    """One process to keep alive. `run` is its whole life; what it returns is the exit status.

    Those that stop `first` are gone before the others are asked to end.
    """

    name: str
    run: Callable[[], int]
    first: bool = False
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)


class Supervisor:
    """Keeps children alive until a signal says stop."""

    def __init__(self, children: list[Child], drain_seconds: float) -> None:
        self._children = children
        self._drain_seconds = drain_seconds

    def run(self) -> int:
        """Run until SIGTERM or SIGINT; gives the exit status."""
        watched = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
        # SIGCHLD must have a handler to be delivered to sigtimedwait at all.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_BLOCK, watched)
        for child in self._children:
            self._start(child)
        while True:
            heard = signal.sigtimedwait(watched, self._patience())
            if heard is not None and heard.si_signo in (signal.SIGTERM, signal.SIGINT):
                return self._stop()
            self._reap()
            for child in self._children:
                if not child.pid and time.monotonic() >= child.due:
                    self._start(child)

    def _patience(self) -> float:
        due = [child.due for child in self._children if not child.pid]
        return max(0.0, min(due) - time.monotonic()) if due else 3600.0

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        try:
            pid = os.fork()
        except OSError as error:  # no memory or no process left: the others must not die of it
            self._put_off(child, child.failures + 1)
            log.error("%s cannot be started: %s", child.name, error)  # noqa: TRY400 - the text is the whole story
            return
        if pid == 0:
            _live(child, parent)
        child.pid, child.started = pid, time.monotonic()

    def _reap(self) -> None:
        """Collect the dead."""
        for child in self._children:
            if child.pid:
                pid, status = os.waitpid(child.pid, os.WNOHANG)
                if pid:
                    self._bury(child, status)

    def _bury(self, child: Child, status: int) -> None:
        lived = time.monotonic() - child.started
        self._put_off(child, 1 if lived > STEADY else child.failures + 1)
        code = os.waitstatus_to_exitcode(status)
        how = f"by signal {-code}" if code < 0 else f"with status {code}"
        log.warning("%s (pid %d) ended %s after %.1f s", child.name, child.pid, how, lived)
        child.pid = 0

    @staticmethod
    def _put_off(child: Child, failures: int) -> None:
        child.failures = failures
        child.due = time.monotonic() + backoff(failures)

    def _stop(self) -> int:
        """End the data plane, which drains and still has something to tell, then the rest."""
        for first in (True, False):
            self._end([child for child in self._children if child.first is first])
        return 0

    def _end(self, children: list[Child]) -> None:
        """Ask these to end; whoever has not when the time to drain has passed is killed."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for child in children:
                if child.pid:
                    os.kill(child.pid, number)
            deadline = time.monotonic() + self._drain_seconds + 3.0
            while any(child.pid for child in children) and time.monotonic() < deadline:
                signal.sigtimedwait({signal.SIGCHLD}, 0.1)
                _collect(children)


def _collect(children: list[Child]) -> None:
    for child in children:
        if child.pid and os.waitpid(child.pid, os.WNOHANG)[0]:
            child.pid = 0


def _live(child: Child, parent: int) -> None:
    """Be the child; never returns."""
    status = 1
    try:
        _die_with_parent(parent)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        status = child.run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _die_with_parent(parent: int) -> None:
    """Have the kernel send SIGTERM when the supervisor is killed: no orphan holds the ports."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        os._exit(1)
