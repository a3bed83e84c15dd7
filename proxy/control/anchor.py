"""The end of the journal, noted beside the store: so that a cut-off end is noticed."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from proxy.control.chain import Link

log = logging.getLogger(__name__)


class Anchor:
    """One small file that holds the last entry's number and hash.

    It may be older than the journal, after a crash or while it cannot be written: then it guards
    what came before.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._troubled = False

    def read(self) -> Link | None:
        """Give what was noted; None when nothing was, or when it cannot be read."""
        try:
            return Link.parse(self._path.read_text("ascii"))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError) as error:
            self._trouble(error)
            return None

    def write(self, link: Link) -> None:
        """Note an entry; never fails, for the journal itself has it."""
        temporary = self._path.with_name(f".{self._path.name}.tmp")
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(f"{link}\n")
            temporary.replace(self._path)
            self._troubled = False
        except OSError as error:
            self._trouble(error)

    def _trouble(self, error: Exception) -> None:
        if not self._troubled:
            log.warning("%s: %s; the end of the journal is not guarded", self._path, error)
        self._troubled = True
