"""Telling all hosts what is in force, over Redis and under a token."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Protocol

from proxy.control.bus.base import Bus, OnPeerMessage, OnPeerState, Payload
from proxy.control.records import version_from_plain, version_to_plain
from proxy.control.status import VersionRecord
from proxy.snapshot import Snapshot

log = logging.getLogger(__name__)


class HostsBus(Bus, Protocol):
    """A bus between hosts: `claimed` is the last snapshot that anybody published on it."""

    claimed: Payload | None
    reachable: bool


class HostsPublisher:
    """The acting controller's publisher: what the store has not taken is published nowhere.

    So whoever acts next finds in the store whatever any worker has. If the store itself has lost
    something, what Redis or this host (`known`) heard of last is the second memory.
    """

    def __init__(
        self,
        open_bus: Callable[[OnPeerMessage, OnPeerState], HostsBus],
        known: Callable[[], VersionRecord | None],
    ) -> None:
        self._open_bus = open_bus
        self._known = known
        self._bus: HostsBus | None = None
        self._waiting: dict[int, Payload] = {}
        self._stored = 0

    @property
    def problem(self) -> str | None:
        """Why other hosts do not hear of changes at once; None while they do."""
        if self._bus is None or self._bus.reachable:
            return None
        return (
            "Redis cannot be used: hosts learn of changes from the store, and nothing is measured"
        )

    async def start(self, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        """Shut out whoever acted before; raises BusError when Redis does not allow it."""
        self._bus = self._open_bus(on_message, on_state)
        await self._bus.start()

    def publish(self, snapshot: Snapshot, record: VersionRecord) -> None:
        """Put a snapshot in force everywhere once it is stored; never waits, never fails."""
        wire = {**snapshot.to_wire(), "record": version_to_plain(record)}
        self._waiting[record.number] = wire
        self._send()

    def written(self, number: int) -> None:
        """Publish the newest that the store has by now; newer ones wait for their own turn."""
        self._stored = max(self._stored, number)
        self._send()

    def _send(self) -> None:
        stored = [number for number in self._waiting if number <= self._stored]
        if self._bus is None or not stored:
            return
        self._bus.publish("snapshot", self._waiting[max(stored)])
        for number in stored:
            del self._waiting[number]

    def tell(self, kind: str, payload: dict[str, Any]) -> None:
        """Tell every worker, now and when it comes later, something that is no routing."""
        if self._bus is not None:
            self._bus.publish(kind, payload)

    def last(self) -> VersionRecord | None:
        """Give the newest version that was published, by whomever, as far as it is known here."""
        found = [self._known(), self._claimed()]
        return max((each for each in found if each), key=lambda each: each.number, default=None)

    def _claimed(self) -> VersionRecord | None:
        claimed = self._bus.claimed if self._bus is not None else None
        try:
            return None if claimed is None else version_from_plain(claimed["record"])
        except (KeyError, TypeError, ValueError) as error:
            log.warning("what Redis holds of the routing cannot be read: %s", error)
            return None

    def mend(self) -> None:
        """Do nothing: the bus sends again what Redis has lost."""

    async def close(self) -> None:
        """Let every host go on alone."""
        if self._bus is not None:
            await self._bus.close()
