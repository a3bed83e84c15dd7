"""What of the clients' traffic is recorded on this host: begun, ended, and noted in the journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from proxy.errors import ConflictError, RefusedError, SettingsError
from proxy.recording import Recorded, Recording, RecordingFile, recorded

HOST: Final = "host"
"""Author of what was done by a command on this host, which need not say who gives it."""
CUTOVER: Final = "cutover"

Note = Callable[[str, str, str, dict[str, Any]], None]
"""Enters a decision into the journal: action, author, reason and evidence."""


class Recordings:
    """Follows the order in the state directory, whoever gave it, and gives orders itself.

    Others carry it out: data plane workers and whoever takes their captures on this host.
    """

    def __init__(self, file: RecordingFile, wall: Callable[[], float], note: Note) -> None:
        self._file: Final = file
        self._wall: Final = wall
        self._note: Final = note
        self._now: Recording | None = None

    @property
    def now(self) -> Recording | None:
        """What is being recorded."""
        return self._now

    @property
    def folder(self) -> Path:
        """Where recordings are on this host."""
        return self._file.folder

    def kept(self) -> list[Recorded]:
        """What recordings there are on this host, the newest first; looks at the disk."""
        return recorded(self._file.folder)

    def take_up(self, order: Recording) -> None:
        """Go on with an order that is in the journal already, as of a controller before."""
        self._now = order

    def follow(self) -> None:
        """Note in the journal that an order was given, by whom and why, or is over."""
        order, time = self._file.read(), self._wall()
        self._follow(order if order is not None and time < order.until else None)

    def start(self, order: Recording) -> None:
        """Give an order; raises RefusedError while another one holds."""
        try:
            running = self._file.begin(order, self._wall())
        except SettingsError as error:
            raise RefusedError(f"nothing can be recorded: {error}") from error
        self.follow()
        if running is not None:
            raise RefusedError(
                f"{running.author} records already, since {running.since}: {running.reason};"
                " stop that first"
            )

    def stop(self, author: str, reason: str, expected: str | None = None) -> Recording:
        """End the recording, if it is the expected one, and give it.

        Raises RefusedError when nothing is being recorded, and ConflictError for another one.
        """
        self.follow()
        running = self._now
        if running is None:
            raise RefusedError("nothing is being recorded")
        if expected not in (None, running.id):
            raise ConflictError(
                f"{running.author} records by now ({running.id}), and not {expected}:"
                f" {running.reason}"
            )
        try:
            self._file.remove()
        except SettingsError as error:
            raise RefusedError(f"it cannot be ended: {error}") from error
        self._now = None
        self._note("record_end", author, reason, {"recording": running.id})
        return running

    def _follow(self, order: Recording | None) -> None:
        before, self._now = self._now, order
        if order == before:
            return
        if before is not None:
            is_over = self._wall() >= before.until
            author, how = (CUTOVER, "its time was over") if is_over else (HOST, "it was stopped")
            self._note("record_end", author, how, {"recording": before.id})
        if order is not None:
            told = {"recording": order.id, "routes": list(order.routes), "share": order.share,
                    "until": order.until, "bytes": order.size}  # fmt: skip
            self._note("record", order.author, order.reason, told)
