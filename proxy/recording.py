"""The order to record traffic, as a file below the state directory: `STATE/recording.json`.

The processes of a host look for it as they look for the kill file, so that it is started and ended
without a new version of the routing, and ends by itself when the controller is dead.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import re
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from proxy.errors import SettingsError

NAME: Final = "recording.json"
FOLDER: Final = "recordings"
SIZE_MAX: Final = 1024 * 1024
"""Bytes of an order that are read: thousands of routes."""

SECONDS_MOST: Final = 7 * 86_400
BYTES_MOST: Final = 64 * 2**30
"""How long, and how much, one recording may be."""
SECONDS_USUAL: Final = 600
BYTES_USUAL: Final = 256 * 2**20
"""What holds when nobody says otherwise."""

_ID: Final = re.compile(r"[0-9]{8}T[0-9]{6}Z")

log = logging.getLogger("cutover")


@dataclass(frozen=True, slots=True)
class Recording:
    """What is recorded: a share of the requests of these routes, of all if none is named.

    Times are Unix seconds; it ends at `until`, or when all of its files together have `size` bytes.
    """

    id: str
    at: float
    until: float
    routes: tuple[str, ...]
    share: float
    size: int
    author: str
    reason: str

    @classmethod
    def begun(
        cls, at: float, until: float, routes: Sequence[str], share: float, size: int,
        author: str, reason: str,
    ) -> Recording:  # fmt: skip
        """Give a recording that begins at this time, which it is named after."""
        name = datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")
        return cls(name, at, until, tuple(routes), share, size, author, reason)

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Recording:
        """Read what `to_plain` gave; raises ValueError, KeyError or TypeError."""
        found = cls(**{**plain, "routes": tuple(map(str, plain["routes"]))})
        is_sound = (
            _ID.fullmatch(found.id)
            and 0.0 < float(found.share) <= 1.0
            and int(found.size) > 0
            and float(found.at) < float(found.until)
        )
        if not is_sound:
            raise ValueError("it is no order to record")
        return found

    @property
    def since(self) -> str:
        """When it began, for people."""
        return f"{datetime.fromtimestamp(self.at, UTC):%Y-%m-%d %H:%M:%S} UTC"

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {**asdict(self), "routes": list(self.routes)}

    def takes(self, route_id: str, now: float) -> bool:
        """Whether requests of a route are recorded at this time, as far as the share lets them."""
        return now < self.until and (not self.routes or route_id in self.routes)


class RecordingFile:
    """The order below one state directory, and the folder of what was recorded."""

    def __init__(self, state: Path) -> None:
        self.path: Final = state / NAME
        self.folder: Final = state / FOLDER
        self._seen: tuple[int, int, int] | None = None
        self._last: Recording | None = None

    def read(self) -> Recording | None:
        """Give the order in force; one that cannot be read is none, and logged once.

        It costs one look at the directory while nothing changes.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError:
            self._seen = self._last = None
            return None
        except OSError:  # EACCES, EIO, a mount that hangs up: nobody has changed the order
            return self._last
        seen = (found.st_ino, found.st_mtime_ns, found.st_size)
        if seen != self._seen:
            self._seen, self._last = seen, self._parsed(found)
        return self._last

    def _parsed(self, found: os.stat_result) -> Recording | None:
        try:
            if not stat.S_ISREG(found.st_mode) or found.st_size > SIZE_MAX:
                raise ValueError("it is no small file")
            return Recording.from_plain(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.error("%s is not heeded: %s", self.path, error)  # noqa: TRY400 - the text is all
            return None

    def begin(self, recording: Recording, now: float) -> Recording | None:
        """Give an order, unless another one holds: then give that. Raises SettingsError.

        Of two who begin at one moment, whatever their processes, one is told of the other.
        """
        with self._alone():
            running = self._parsed_anew()
            if running is not None and now < running.until:
                return running
            self.write(recording)
            return None

    def write(self, recording: Recording) -> None:
        """Put an order in the place of any other, in one piece; raises SettingsError."""
        fresh = self.path.with_name(f"{NAME}.{os.getpid()}")
        try:
            fresh.write_text(f"{json.dumps(recording.to_plain())}\n", encoding="ascii")
            fresh.replace(self.path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise SettingsError(f"{self.path}: {error.strerror}") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Keep everybody else from beginning; the directory itself is what is locked."""
        try:
            descriptor = os.open(self.path.parent, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise SettingsError(f"{self.path}: {error.strerror}") from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _parsed_anew(self) -> Recording | None:
        try:
            return self._parsed(self.path.stat())
        except OSError:  # there is none, or one that nobody can read
            return None

    def remove(self) -> bool:
        """End it; gives whether there was one. Raises SettingsError."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SettingsError(f"{self.path}: {error.strerror}; remove it by hand") from error
        return True


@dataclass(frozen=True, slots=True)
class Recorded:
    """What a recording has left on disk: its folder, how many files, and their bytes."""

    id: str
    folder: Path
    files: int
    size: int


def recorded(folder: Path) -> list[Recorded]:
    """List what was recorded, the newest first."""
    if not folder.is_dir():
        return []
    found = [each for each in folder.iterdir() if _ID.fullmatch(each.name) and each.is_dir()]
    return [_summed(each) for each in sorted(found, reverse=True)]


def _summed(folder: Path) -> Recorded:
    sizes = [each.stat().st_size for each in folder.glob("*.gor")]
    return Recorded(folder.name, folder, len(sizes), sum(sizes))
