"""One process of the family: how it begins its life, and how it is remembered between lives."""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import socket
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final, NoReturn

from proxy.serving.vitals import Pulse
from proxy.serving.watchdog import Watchdog

BACKOFF_FIRST: Final = 0.1
BACKOFF_MAX: Final = 5.0
STEADY: Final = 10.0
"""Seconds before the first restart, at most, and of life after which a child counts as well."""

_PR_SET_PDEATHSIG: Final = 1


def backoff(failures: int) -> float:
    """Seconds to wait before the next start after so many short lives in a row."""
    return min(BACKOFF_MAX, BACKOFF_FIRST * float(2 ** min(failures - 1, 10))) if failures else 0.0


@dataclass(slots=True)
class Child:
    """One process to keep alive. `run` is its whole life; what it returns is the exit status.

    Those that stop `first` are gone before the others are asked to end: they are the data plane,
    and the only ones that know how to retire. A child with a `pulse` says when it is ready; one
    with a `watchdog` must show signs of life from then on. Of all listening sockets it keeps only
    its own, so that no socket is held open by a process that never looks at it.
    """

    name: str
    run: Callable[[], int]
    first: bool = False
    sockets: tuple[socket.socket, ...] = ()
    pulse: Pulse | None = None
    watchdog: Watchdog | None = None
    wanted: bool = True
    pid: int = 0
    started: float = 0.0
    failures: int = 0
    due: float = field(default=0.0)
    accused: bool = False

    def put_off(self, failures: int) -> None:
        """Let some time pass before the next life."""
        self.failures = failures
        self.due = time.monotonic() + backoff(failures)

    def begin(self, pid: int) -> None:
        """Note that a new life has begun."""
        self.pid, self.started, self.accused = pid, time.monotonic(), False
        if self.watchdog is not None:
            self.watchdog.forget()

    def tell(self, number: signal.Signals) -> None:
        """Send a signal, if it lives."""
        if self.pid:
            os.kill(self.pid, number)

    @property
    def is_ready(self) -> bool:
        """Whether it does what it is there for, as far as one can know."""
        return bool(self.pid) and (self.pulse is None or self.pulse.ready)


def live(child: Child, parent: int, foreign: Iterable[socket.socket]) -> NoReturn:
    """Be the child, without the sockets that are not its own; never returns."""
    status = 1
    try:
        _die_with_parent(parent, signal.SIGUSR2 if child.first else signal.SIGTERM)
        for sock in foreign:
            sock.close()
        # A hang is ended by SIGABRT, and what the program was doing then stands in the log.
        faulthandler.enable()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGUSR1, signal.SIG_IGN)
        signal.signal(signal.SIGUSR2, signal.SIG_DFL if child.first else signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, set())
        status = child.run()
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _die_with_parent(parent: int, number: signal.Signals) -> None:
    """Have the kernel send a signal when the supervisor is killed: no orphan holds the ports.

    A data plane worker is retired by it, not stopped: a successor may be at work already, and to
    shut the sockets down would shut them for both.
    """
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)
