"""Telling everybody what is in force: first those who are connected, then those who come later."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import orjson

from proxy.control.bus.base import Bus, OnPeerMessage, OnPeerState
from proxy.control.records import version_from_plain, version_to_plain
from proxy.control.status import VersionRecord
from proxy.snapshot import Snapshot

log = logging.getLogger(__name__)

OpenBus = Callable[[OnPeerMessage, OnPeerState], Bus]


class Publishing(Protocol):
    """What a controller needs to tell everybody; `problem` says why not all of them hear of it."""

    @property
    def problem(self) -> str | None:
        """Why something could not be told or kept; None when all is well."""
        ...

    async def start(self, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        """Open the bus; raises BusError when another controller holds it."""
        ...

    def publish(self, snapshot: Snapshot, record: VersionRecord) -> None:
        """Put a snapshot in force everywhere; never waits, never fails."""
        ...

    def written(self, number: int) -> None:
        """Take note that the store has everything up to this version."""
        ...

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """Tell every worker, now and when it comes later, something that is no routing."""
        ...

    def last(self) -> VersionRecord | None:
        """Give what was published last, by this controller or one before it."""
        ...

    def mend(self) -> None:
        """Do once more what failed before."""
        ...

    async def close(self) -> None:
        """Let every worker go on alone."""
        ...


class Publisher:
    """Publishes snapshots on the bus and in a file.

    Workers that start while no controller lives read the file; so does the next controller, to
    which it is a second memory beside the store: a rollback survives when the store was lost.
    """

    def __init__(self, file: Path, open_bus: OpenBus) -> None:
        self._problem: str | None = None
        self._file = file
        self._open_bus = open_bus
        self._bus: Bus | None = None
        self._content: dict[str, Any] | None = None

    @property
    def problem(self) -> str | None:
        """Why the file could not be written; None when it was."""
        return self._problem

    async def start(self, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        """Open the bus; raises BusError when another controller holds it."""
        self._bus = self._open_bus(on_message, on_state)
        await self._bus.start()

    def publish(self, snapshot: Snapshot, record: VersionRecord) -> None:
        """Put a snapshot in force everywhere; never waits for a worker, never fails."""
        wire = snapshot.to_wire()
        if self._bus is not None:
            self._bus.publish("snapshot", wire)
        self._write({**wire, "record": version_to_plain(record)})

    def pass_on(self, snapshot: dict[str, Any], record: dict[str, Any]) -> None:
        """Do the same with a snapshot that another host has published.

        The file comes first: no worker begins behind what others have had.
        """
        self._write({**snapshot, "record": record})
        if self._bus is not None:
            self._bus.publish("snapshot", snapshot)

    def written(self, number: int) -> None:
        """Do nothing: what is in force here did not wait for the store."""

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """Tell every worker, now and when it comes later, something that is no routing."""
        if self._bus is not None:
            self._bus.publish(kind, payload)

    def last(self) -> VersionRecord | None:
        """Read back what was published last, by this controller or one before it."""
        try:
            return version_from_plain(orjson.loads(self._file.read_bytes())["record"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s cannot be used: %s", self._file, error)
            return None

    def mend(self) -> None:
        """Write the file once more if that failed before, or if somebody has deleted it."""
        if self._content is not None and (self._problem is not None or not self._file.exists()):
            self._write(self._content)

    async def close(self) -> None:
        """Let every worker go on alone."""
        if self._bus is not None:
            await self._bus.close()

    def _write(self, content: dict[str, Any]) -> None:
        self._content = content
        temporary = self._file.with_name(f".{self._file.name}.tmp")
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Without fsync: it guards against loss of power, for which the store is there, and
            # could hold up the next rollback by as much as a busy disk likes.
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(orjson.dumps(content))
            temporary.replace(self._file)
        except OSError as error:
            if self._problem is None:
                log.error("%s: %s", self._file, error.strerror)  # noqa: TRY400 - the text says it all
            self._problem = f"{self._file.name}: {error.strerror}"
        else:
            self._problem = None
