"""The kill switch as a file: `STATE/kill`, the one order that needs no process to take it.

Every data plane worker looks for it ten times a second, so it works while the controller is dead,
the store is full and the API cannot be reached: `touch STATE/kill`, and `rm STATE/kill` to end it.
What stands in the file is for people only; an empty one counts as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Final

from proxy.errors import SettingsError

NAME: Final = "kill"
WORDS_MAX: Final = 4096
"""Bytes of the file that are read to say who wrote it."""


class KillFile:
    """The file below one state directory."""

    def __init__(self, state: Path) -> None:
        self.path: Final = state / NAME
        self._text: Final = str(self.path)
        self._last = False

    def is_on(self) -> bool:
        """Whether it is there; a directory that cannot be looked into changes nothing."""
        try:
            os.lstat(self._text)
        except FileNotFoundError:
            self._last = False
        except OSError:  # EACCES, EIO, a mount that hangs up: no order was given
            pass
        else:
            self._last = True
        return self._last

    def words(self) -> str:
        """Say who turned it on and why, as far as the file tells."""
        try:
            with self.path.open("rb") as file:
                content = json.loads(file.read(WORDS_MAX))
            return f"{content['author']}: {content['reason']}"
        except (OSError, ValueError, KeyError, TypeError):
            return f"somebody made the file {self.path}"

    def turn_on(self, author: str, reason: str) -> None:
        """Make the file; raises SettingsError when that is not possible."""
        content = json.dumps({"author": author, "reason": reason})
        try:
            self.path.write_text(f"{content}\n", encoding="ascii")
        except OSError as error:
            raise SettingsError(f"{self.path}: {error.strerror}") from error

    def turn_off(self) -> bool:
        """Remove it; gives whether it was there. Raises SettingsError when it stays."""
        try:
            self.path.unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise SettingsError(f"{self.path}: {error.strerror}; remove it by hand") from error
        return True
