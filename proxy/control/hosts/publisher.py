"""Telling all hosts what is in force, over Redis and under a token."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from proxy.control.bus.base import OnPeerMessage, OnPeerState
from proxy.control.bus.redis import RedisBus
from proxy.control.records import version_from_plain, version_to_plain
from proxy.control.status import VersionRecord
from proxy.snapshot import Snapshot

log = logging.getLogger(__name__)


class HostsPublisher:
    """The acting controller's publisher: what neither Redis nor the store took is nowhere in force.

    `known` gives what this host itself has heard of last. It counts like what Redis remembers: a
    version that was published, and not stored when its controller ended, is adopted, never undone.
    """

    def __init__(
        self,
        open_bus: Callable[[OnPeerMessage, OnPeerState], RedisBus],
        known: Callable[[], VersionRecord | None],
    ) -> None:
        self._open_bus = open_bus
        self._known = known
        self._bus: RedisBus | None = None

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
        """Put a snapshot in force everywhere; never waits, never fails."""
        if self._bus is not None:
            wire = snapshot.to_wire()
            self._bus.publish("snapshot", {**wire, "record": version_to_plain(record)})

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
