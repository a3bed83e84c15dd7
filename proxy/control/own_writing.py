"""What this program has written into the rules file, so that nobody takes it for somebody's edit.

A host that acts writes a change into its own file before the store has it. When another host takes
over in between, the change was never made: the file then says what nobody has put in force, and no
person has written it either.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path
from typing import Final

KEPT: Final = 2
"""Contents that are known: the last, and the one before, if the last did not come to be written."""


class OwnWriting:
    """Digests of contents, in a file, as a killed process has to be remembered by the next."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def note(self, content: bytes) -> None:
        """Remember a content that is about to be written; a disk that is full forgets it."""
        digests = self._digests()
        digest = _digest(content)
        if digests[:1] != [digest]:
            with contextlib.suppress(OSError):
                self._path.write_text("\n".join([digest, *digests][:KEPT]))

    def has(self, content: bytes) -> bool:
        """Say whether this was written here."""
        return _digest(content) in self._digests()

    def _digests(self) -> list[str]:
        try:
            return self._path.read_text().split()
        except (OSError, UnicodeDecodeError):
            return []


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
