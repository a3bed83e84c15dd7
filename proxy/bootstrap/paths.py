"""Where everything lives below the state directory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from proxy.control.audit import sqlite_url
from proxy.errors import SettingsError
from proxy.kill_file import KillFile
from proxy.recording import RecordingFile
from proxy.settings import JOURNAL_HEAD, ServeSettings

REDACTION_KEY: Final = "redaction.key"


class StatePaths:
    """The files and sockets of one installation."""

    def __init__(self, state: Path) -> None:
        self.state: Final = state.absolute()
        self.bus: Final = self.state / "bus.sock"
        self.snapshot: Final = self.state / "snapshot.json"
        self._database_url = f"sqlite+aiosqlite:///{self.state / 'cutover.db'}"
        self.journal_head: Final = self.state / JOURNAL_HEAD
        self.own_rules: Final = self.state / "rules.own"
        self.redaction_key: Final = self.state / REDACTION_KEY
        self.mint_key: Final = self.state / "mint.key"
        self.kill_file: Final = KillFile(self.state)
        self.recording: Final = RecordingFile(self.state)

    @property
    def captures(self) -> Path:
        """Socket of whoever forwards captures."""
        return self.state / "captures.sock"

    def shadow(self, index: int) -> Path:
        """Socket of one shadow worker."""
        return self.state / f"shadow-{index}.sock"

    def database_url(self, settings: ServeSettings) -> str:
        """Where versions, decisions and comparisons are kept."""
        return settings.store or self._database_url

    def audit_url(self, settings: ServeSettings) -> str:
        """Where the same is read without being touched; raises RefusedError if it is not there."""
        return settings.store or sqlite_url(self.state / "cutover.db")

    def make(self) -> None:
        """Make the directory; raises SettingsError when that is not possible."""
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"--state {self.state}: {error.strerror}") from error
        if not os.access(self.state, os.W_OK | os.X_OK):
            raise SettingsError(f"--state {self.state}: cannot be written by this user")
