"""A server as one process group: started, probed, stopped, and found again by a later command.

Every server leads a session of its own. Apache signals its whole group, `php -S` and Celery leave
workers behind when only the parent is stopped, and a Ctrl-C at the terminal must not reach servers
that are meant to stay: a session each, and signals to the group, settle all three.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.stack.errors import StartError

# Set in the environment of every process of a stack: `down` can prove that none is left.
MARK = "CUTOVER_STACK"
_POLL = 0.02


@dataclass(frozen=True)
class Command:
    """How a server is started, and which signal asks it to end in good order."""

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: Path = Path("/")
    stop_signal: signal.Signals = signal.SIGTERM
    become: tuple[str, ...] = ()  # a command before it, that gives it another account

    @property
    def digest(self) -> str:
        """A short name for the arguments and environment; it gives none of them away."""
        text = json.dumps([self.argv, sorted(self.env.items()), str(self.cwd)])
        return hashlib.sha256(text.encode()).hexdigest()[:16]


class Process:
    """The process of one server, remembered in a pid file together with its start time."""

    def __init__(self, name: str, run_dir: Path, *, tied: bool = False) -> None:
        """Name it; `tied` processes end with the program that started them (tests)."""
        self.name = name
        self.log = run_dir / "log" / f"{name}.log"
        self._pid_file = run_dir / "pids" / f"{name}.json"
        self._run_dir = run_dir
        self._tied = tied
        self._child: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while the server runs, else None."""
        record = self._record()
        if record is None or _start_time(record["pid"]) != record["started"]:
            return None
        return int(record["pid"])

    def launch(self, command: Command) -> None:
        """Start the server without waiting for it."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._pid_file.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(
                [*command.become, *self._leash(command), *command.argv],
                env={**os.environ, **command.env, MARK: str(self._run_dir)},
                cwd=command.cwd,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        pid = self._child.pid
        record = {
            "pid": pid,
            "started": _start_time(pid),
            "stop": int(command.stop_signal),
            "digest": command.digest,
        }
        self._pid_file.write_text(json.dumps(record))

    def runs(self, command: Command) -> bool:
        """Say whether it runs, and was started by this very command."""
        record = self._record()
        return self.pid is not None and record is not None and record["digest"] == command.digest

    def wait_ready(self, probe: Callable[[], bool], deadline: float) -> None:
        """Return when the probe says yes; raises StartError when the server ends or is late."""
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if self.pid is None:
                self.forget()
                raise StartError(self.name, "ended while it was starting", self.log)
            if _answers(probe):
                return
            time.sleep(_POLL)
        raise StartError(self.name, f"was not ready within {deadline:.0f} s", self.log)

    def stop(self, grace: float) -> None:
        """Ask the server to end, and make it when it has not done so after the grace time."""
        record, pid = self._record(), self.pid
        if record is None or pid is None:
            self.forget()
            return
        # The leader alone is asked, as its own workers are its business; the group is swept after.
        _signal(os.kill, pid, signal.Signals(record["stop"]))
        self._wait_gone(pid, grace)
        self.kill()

    def kill(self) -> None:
        """End the whole group at once, as a crash would."""
        record = self._record()
        if record is not None and self._group_is_ours(record):
            _signal(os.killpg, record["pid"], signal.SIGKILL)
            self._wait_gone(record["pid"], 10)
        self.forget()

    def forget(self) -> None:
        """Reap the child and remove the pid file."""
        if self._child is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._child.wait(timeout=1)
            self._child = None
        self._pid_file.unlink(missing_ok=True)

    def _leash(self, command: Command) -> list[str]:
        # The kernel sends the signal when the thread that started the child ends, so a helper
        # thread must not tie a server to its own short life. A change of account undoes the tie, so
        # it comes first.
        if not self._tied or threading.current_thread() is not threading.main_thread():
            return []
        return ["setpriv", f"--pdeathsig={command.stop_signal.name.removeprefix('SIG')}", "--"]

    def _record(self) -> dict[str, Any] | None:
        try:
            record: dict[str, Any] = json.loads(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return record

    def _group_is_ours(self, record: dict[str, Any]) -> bool:
        # A group outlives its leader; its id is not given to a new process as long as it exists.
        started = _start_time(record["pid"])
        return started in {None, record["started"]}

    def _wait_gone(self, pid: int, grace: float) -> None:
        end = time.monotonic() + grace
        while time.monotonic() < end:
            if self._child is not None:
                self._child.poll()
            if _start_time(pid) is None and not group_members(pid):
                return
            time.sleep(_POLL)


def group_members(group: int) -> list[int]:
    """Return the living processes of a process group."""
    return [pid for pid, stat in _stats() if int(stat[2]) == group and stat[0] not in "ZX"]


def marked(run_dir: Path) -> list[int]:
    """Return every living process that was started for the stack in this run directory."""
    mark = f"{MARK}={run_dir}".encode()
    found: list[int] = []
    for pid, stat in _stats():
        with contextlib.suppress(OSError):
            environ = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if mark in environ and stat[0] not in "ZX":
                found.append(pid)
    return found


def _answers(probe: Callable[[], bool]) -> bool:
    try:
        return probe()
    except OSError:
        return False


def _signal(send: Callable[[int, int], None], pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        send(pid, number)


def _start_time(pid: int) -> int | None:
    """Return when a living process started, in clock ticks after boot; None for the dead."""
    stat = _stat(pid)
    return None if stat is None or stat[0] in "ZX" else int(stat[19])


def _stats() -> list[tuple[int, list[str]]]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [(pid, stat) for pid in pids if (stat := _stat(pid)) is not None]


def _stat(pid: int) -> list[str] | None:
    """Return /proc/PID/stat from its third field (state) on, see proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()
