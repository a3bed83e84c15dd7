"""The rules file on disk: noticing that it has changed, and writing changes back into it."""

from __future__ import annotations

import codecs
import contextlib
import errno
import os
from pathlib import Path

from proxy.clock import Clock
from proxy.control.loaded import LoadedRules
from proxy.control.own_writing import OwnWriting
from proxy.errors import Position, RefusedError, RulesError, RulesProblem
from proxy.routing.schema import load_rules

SETTLED_SECONDS = 2.0
"""A file written to more recently is read at every look: its times may be too coarse to trust."""

_IN_PLACE = frozenset({errno.EBUSY, errno.EXDEV, errno.EPERM, errno.EACCES})
"""What rename() says of a file that is a mount of its own, or stands in a closed directory."""

_DIFFERS = (
    "is not what is in force: it was edited while another host acted. Put it in force by `cutover "
    "import` or by saving it once more on the host that acts, or drop it by `cutover export`"
)

Stamp = tuple[int, int, int, int]


class RulesFile:
    """Watches one file by looking at it.

    `problem` says why the content on disk is not the one that `poll` gave last. `own` remembers
    what was written here, where another host may put something else in force meanwhile.
    """

    def __init__(self, path: Path, clock: Clock, own: OwnWriting | None = None) -> None:
        self.path = path
        self.problem: RulesError | None = None
        self._own = own
        self._clock = clock
        self._stamp: Stamp | None = None
        self._content: bytes | None = None
        self._doubtful: bytes | None = None

    def load(self) -> LoadedRules:
        """Read the file now; raises RulesError, also when it cannot be read."""
        self._stamp = self._look()
        self._content = None
        content = self._read()
        self._content = content
        return self._parse(content)

    def poll(self) -> LoadedRules | None:
        """Give the new content when the file has changed and is valid; otherwise None.

        A file may be seen half-written, and half a file may well be valid: without its last routes.
        So content counts only when two looks in a row find the same.
        """
        stamp = self._look()
        if stamp is not None and stamp == self._stamp and self._is_settled(stamp):
            return None
        try:
            content = self._read()
            if content == self._content:
                self._stamp, self._doubtful = stamp, None
                return None
            if content != self._doubtful:
                self._doubtful = content
                return None
            self._stamp, self._content, self._doubtful = stamp, content, None
            return self._parse(content)
        except RulesError as error:
            self.problem = error
            return None

    def is_current(self) -> bool:
        """Whether the disk holds, just now, what was given last."""
        try:
            return self.problem is None and self._read() == self._content
        except RulesError:
            return False

    def replace(self, loaded: LoadedRules) -> LoadedRules:
        """Write another document into the file, under the same terms as `set_weight`."""
        return self._write(loaded)

    def follow(self, text: str, before: str | None) -> None:
        """Bring the file up to date with what another host has put in force.

        Only if it holds what was in force `before`, or what was written here: somebody's edit is
        not lost, nor taken, but told as a problem until the file is edited once more, or holds what
        is in force.
        """
        try:
            self._stamp, self._doubtful = self._look(), None
            self._content = self._read()
            present = self._content.decode("utf-8-sig")
        except (RulesError, UnicodeDecodeError):
            present = None
        if present not in (text, before) and not self._is_own():
            self.problem = self._refused(_DIFFERS)
            return
        try:
            self.problem = None
            if present != text:
                self._write_text(text)
            elif self._own is not None and self._content is not None:
                self._own.note(self._content)
        except RefusedError as error:
            self.problem = self._refused(f"is not the rules in force: {error}")

    def _write(self, edited: LoadedRules) -> LoadedRules:
        self._write_text(edited.text)
        return edited

    def _write_text(self, text: str) -> None:
        mark = codecs.BOM_UTF8 if (self._content or b"").startswith(codecs.BOM_UTF8) else b""
        content = mark + text.encode()
        if self._own is not None:
            self._own.note(content)
        try:
            _replace(self.path, content)
        except OSError as error:
            raise RefusedError(
                f"{self.path}: {error.strerror}; make it writable for this process, or edit it"
                " by hand"
            ) from error
        self._stamp, self._content = self._look(), content

    def _is_own(self) -> bool:
        return self._own is not None and self._content is not None and self._own.has(self._content)

    def _look(self) -> Stamp | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_ctime_ns, found.st_ino, found.st_size

    def _is_settled(self, stamp: Stamp) -> bool:
        return abs(self._clock.wall() - stamp[1] / 1e9) > SETTLED_SECONDS

    def _read(self) -> bytes:
        try:
            return self.path.read_bytes()
        except OSError as error:
            self._content = None
            raise self._refused(f"cannot be read: {error.strerror}") from error

    def _parse(self, content: bytes) -> LoadedRules:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content.count(b"\n", 0, error.start) + 1
            raise self._refused("not UTF-8 text", line) from error
        document, rules = load_rules(text, str(self.path))
        self.problem = None
        return LoadedRules(text, document, rules)

    def _refused(self, message: str, line: int = 1) -> RulesError:
        return RulesError((RulesProblem(Position(str(self.path), line, 1), message),))


def _replace(path: Path, content: bytes) -> None:
    """Put new content in place, so that a reader sees the old file or the new one, never half."""
    path = path.resolve()  # the place that a symbolic link names, so that the link stays
    mode = path.stat().st_mode & 0o7777
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        write_new(temporary, content, mode)
        temporary.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if error.errno not in _IN_PLACE:
            raise
        path.write_bytes(content)


def write_new(path: Path, content: bytes, mode: int) -> None:
    """Write a file that is complete on disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, mode)
        file.flush()
        os.fsync(descriptor)
