"""All children of one supervisor: started, collected, watched and ended."""

from __future__ import annotations

import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable
from typing import Final

from proxy.serving.child import STEADY, Child, live
from proxy.serving.watchdog import LOOK, Finding

OVERTIME: Final = 3.0
"""Seconds that a child may take to end beyond those in which it drains."""

ENDING: Final = frozenset({signal.SIGTERM, signal.SIGINT})

FOREVER: Final = 3600.0

log = logging.getLogger(__name__)


class Family:
    """The children. `close_in_child` lets go of what is the supervisor's alone.

    `on_stranger` is told of the end of a process that is none of them: a successor, or, for the
    first process of a container, anybody's orphan.
    """

    def __init__(
        self,
        children: list[Child],
        sockets: Iterable[socket.socket],
        close_in_child: Callable[[], None],
        on_stranger: Callable[[int, int], None],
    ) -> None:
        self.children: Final = children
        self._sockets = frozenset(sockets)
        self._close_in_child = close_in_child
        self._on_stranger = on_stranger

    @property
    def first(self) -> list[Child]:
        """The data plane."""
        return [child for child in self.children if child.first]

    @property
    def rest(self) -> list[Child]:
        """Everybody else."""
        return [child for child in self.children if not child.first]

    @property
    def alive(self) -> bool:
        """Whether any child is there."""
        return any(child.pid for child in self.children)

    @property
    def settled(self) -> bool:
        """Whether all that are wanted do what they are there for."""
        return all(child.is_ready for child in self.children if child.wanted)

    def want(self, children: Iterable[Child]) -> None:
        """Have these alive from now on."""
        for child in children:
            child.wanted, child.due = True, 0.0

    def dismiss(self, children: Iterable[Child], number: signal.Signals) -> None:
        """Ask these to end, and start them no more."""
        for child in children:
            child.wanted = False
            child.tell(number)

    def until_next(self) -> float:
        """Seconds until there is something to do here."""
        now = time.monotonic()
        waits = [child.due - now for child in self.children if child.wanted and not child.pid]
        waits.append(LOOK if any(child.watchdog for child in self.children) else FOREVER)
        return max(0.0, min(waits))

    def start_due(self) -> None:
        """Start whoever is wanted and not there, and has waited long enough."""
        now = time.monotonic()
        for child in self.children:
            if child.wanted and not child.pid and now >= child.due:
                self._start(child)

    def reap(self) -> None:
        """Collect the dead."""
        by_pid = {child.pid: child for child in self.children}
        try:
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                pid, status = ended
                if (child := by_pid.get(pid)) is not None:
                    _bury(child, status)
                else:
                    self._on_stranger(pid, status)
        except ChildProcessError:
            return  # nobody is left

    def watch(self) -> None:
        """End children whose event loop stands still."""
        now = time.monotonic()
        for child in self.children:
            if child.pid and child.watchdog is not None and child.pulse is not None:
                _judge(child, child.watchdog.look(child.pulse.beats, now))

    def end(
        self, children: list[Child], number: signal.Signals, seconds: float, hurry: float
    ) -> None:
        """Ask these to end; whoever has not after so many seconds is killed.

        Who is told to end meanwhile, by an impatient operator or by the machine that goes down,
        passes it on, and waits for `hurry` seconds at most.
        """
        for attempt in (number, signal.SIGKILL):
            self.dismiss(children, attempt)
            deadline = time.monotonic() + seconds
            while any(child.pid for child in children) and time.monotonic() < deadline:
                heard = signal.sigtimedwait(ENDING | {signal.SIGCHLD}, 0.1)
                if heard is not None and heard.si_signo in ENDING:
                    self.dismiss(children, signal.SIGTERM)
                    deadline = min(deadline, time.monotonic() + hurry)
                self.reap()

    def _start(self, child: Child) -> None:
        parent = os.getpid()
        if child.pulse is not None:
            child.pulse.begin()
        try:
            pid = os.fork()
        except OSError as error:  # no memory or no process left: the others must not die of it
            child.put_off(child.failures + 1)
            log.error("%s cannot be started: %s", child.name, error)  # noqa: TRY400 - the text is the whole story
            return
        if pid == 0:
            live(child, parent, self._let_go_of(child))
        if child.pulse is not None and child.started:
            child.pulse.count_restart()
        child.begin(pid)

    def _let_go_of(self, child: Child) -> Iterable[socket.socket]:
        self._close_in_child()
        return self._sockets.difference(child.sockets)


def _bury(child: Child, status: int) -> None:
    lived = time.monotonic() - child.started
    if child.wanted or status:
        log.warning("%s (pid %d) ended %s after %.1f s", child.name, child.pid, how(status), lived)
    child.put_off(1 if lived > STEADY else child.failures + 1)
    child.pid = 0


def how(status: int) -> str:
    """Put into words how a process ended."""
    code = os.waitstatus_to_exitcode(status)
    return f"by signal {-code}" if code < 0 else f"with status {code}"


def _judge(child: Child, finding: Finding) -> None:
    if finding is Finding.HUNG and not child.accused:
        child.accused = True
        log.error(
            "%s (pid %d) stands still and is ended; where it stood follows", child.name, child.pid
        )
        if child.pulse is not None:
            child.pulse.count_hang()
        child.tell(signal.SIGABRT)
    elif finding is Finding.DEAF:
        child.tell(signal.SIGKILL)
