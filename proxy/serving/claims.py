"""Who has which role in a state directory: one lock file for each role, and files that tell of it.

The kind of lock (POSIX) is freed by the kernel when its holder dies in whatever way, is not
inherited by children that still drain, and names its holder to whoever asks. A file with a process
id in it can do none of that: it may be of last week, and its number somebody else's by now.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from proxy.errors import SettingsError

_FLOCK: Final = "hhqqi4x"
"""`struct flock` of Linux on 64 bits: type, whence, start, length, holder (fcntl(2))."""

RECORD_MAX: Final = 64 * 1024


class Claims:
    """The roles that one supervisor has, or waits to have."""

    def __init__(self, state: Path, roles: Sequence[str]) -> None:
        self._state = state
        self._roles = roles
        self._held: list[int] = []

    def claim(self) -> None:
        """Hold the roles until `release`, or for as long as this process lives.

        A second holder would take over the first one's sockets and its place in the status. Raises
        SettingsError.
        """
        try:
            for role in self._roles:
                self._held.append(_locked(_lock_file(self._state, role)))
        except OSError as error:
            self.release()
            raise SettingsError(
                f"--state {self._state}: another `cutover serve` has the role {role} there;"
                " stop it first, or give this one a --state of its own"
            ) from error

    def release(self) -> None:
        """Let somebody else have the roles."""
        while self._held:
            os.close(self._held.pop())

    @property
    def held(self) -> bool:
        """Whether the roles are ours."""
        return bool(self._held)


class Papers:
    """What a supervisor writes down beside its locks, for people and for `cutover upgrade`."""

    def __init__(self, state: Path, role: str) -> None:
        suffix = "" if role == "all" else f"-{role}"
        self._pid_file: Final = state / f"supervisor{suffix}.pid"
        self._record: Final = state / f"upgrade{suffix}.json"

    def write_pid(self) -> None:
        """Say who is the supervisor now."""
        _write(self._pid_file, f"{os.getpid()}\n")

    def remove_pid(self) -> None:
        """Say that nobody is, unless somebody else is by now."""
        with contextlib.suppress(OSError, ValueError):
            if int(self._pid_file.read_text("ascii")) == os.getpid():
                self._pid_file.unlink()

    def record(self, upgrade: dict[str, Any]) -> None:
        """Write down how an upgrade goes."""
        _write(self._record, json.dumps(upgrade) + "\n")

    def last(self) -> dict[str, Any]:
        """Read back the last upgrade; empty when there was none."""
        try:
            with self._record.open("rb") as file:
                found = json.loads(file.read(RECORD_MAX))
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def holder(state: Path, role: str) -> int | None:
    """Give the process that has this role, by the kernel's word; None when nobody has it."""
    try:
        fd = os.open(_lock_file(state, role), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        asked = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        kind, _, _, _, pid = struct.unpack(_FLOCK, fcntl.fcntl(fd, fcntl.F_GETLK, asked))
    finally:
        os.close(fd)
    return None if kind == fcntl.F_UNLCK or pid <= 0 else int(pid)


def expects(pid: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for this signal; without one most signals would end it."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines()
    except OSError:
        return False
    fields = dict(line.split(":", 1) for line in lines if ":" in line)
    return bool(int(fields.get("SigCgt", "0"), 16) >> (number - 1) & 1)


def _lock_file(state: Path, role: str) -> Path:
    return state / f"{role}.lock"


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        raise
    return fd


def _write(path: Path, text: str) -> None:
    """Put a small file in place whole; a disk that is full must stop nobody."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        temporary.write_text(text, encoding="ascii")
        temporary.replace(path)
