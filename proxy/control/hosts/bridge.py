"""What one proxy host does on both buses: the local one's controller end, and a line to Redis.

Workers know nothing of other hosts. What the acting controller publishes is passed on to them when
it is newer than what they have, and written into the snapshot file; what they say is passed up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

from proxy.clock import Clock
from proxy.control.bus.base import Payload, Peer
from proxy.control.bus.redis_link import RedisLink
from proxy.control.bus.redis_place import RoutingPlace
from proxy.control.loaded import LoadedRules
from proxy.control.publisher import Publisher
from proxy.control.records import version_from_plain, version_to_plain
from proxy.control.state import RoutingState
from proxy.control.status import VersionRecord
from proxy.control.workers import Workers
from proxy.errors import RulesError
from proxy.outcome import ComparisonBatch, OutcomeBatch
from proxy.routing.schema import load_rules

log = logging.getLogger(__name__)

OnVersion = Callable[[VersionRecord, Payload], None]
"""Takes a version that is in force on this host from now on, and its snapshot as it was sent."""


class Bridge:
    """Carries between the workers of a host and whoever acts; `workers` are those of this host."""

    def __init__(
        self, place: RoutingPlace, host: str, local: Publisher, clock: Clock, on_version: OnVersion
    ) -> None:
        self.workers = Workers()
        self.record: VersionRecord | None = None
        self._link = RedisLink(place, host, self._on_down, self._on_state)
        self._local = local
        self._clock = clock
        self._host = host
        self._on_version = on_version

    @property
    def version(self) -> int:
        """The version that workers of this host were told last; 0 before the first."""
        return 0 if self.record is None else self.record.number

    @property
    def has_redis(self) -> bool:
        """Whether Redis can be used."""
        return self._link.reachable

    @property
    def token(self) -> int:
        """The newest token met in Redis."""
        return self._link.token

    async def start(self) -> None:
        """Open for this host's workers, and bring them what was in force here last."""
        await self._local.start(self._on_up, self._on_peer)
        record = self._local.last()
        if record is not None:
            self.adopt(record)

    async def run(self) -> None:
        """Keep the line to Redis up until cancelled."""
        await self._link.run()

    async def close(self) -> None:
        """Let the workers of this host go on alone."""
        await self._local.close()

    def known(self) -> VersionRecord | None:
        """Give the version in force on this host."""
        return self.record

    def mend(self) -> None:
        """Write the snapshot file once more if it is not there."""
        self._local.mend()

    def adopt(self, record: VersionRecord) -> None:
        """Put a version of the store in force, if Redis has not brought it already."""
        if record.number <= self.version:
            return
        try:
            document, rules = load_rules(record.text, f"version {record.number}")
        except RulesError as error:
            log.error("version %d is not taken: %s", record.number, error)  # noqa: TRY400 - the text is the whole story
            return
        state = RoutingState(record, LoadedRules(record.text, document, rules))
        self._take(record, state.snapshot.to_wire())

    # Down

    def _on_down(self, kind: str, token: int, payload: Payload) -> None:
        if kind != "snapshot":
            self._local.tell(kind, payload)
            return
        record = version_from_plain(payload.pop("record"))
        if record.number > self.version:
            log.info("version %d, under token %d", record.number, token)
            self._take(record, payload)

    def _take(self, record: VersionRecord, snapshot: dict[str, Any]) -> None:
        self.record = record
        self._local.pass_on(snapshot, version_to_plain(record))
        self._on_version(record, snapshot)

    def _on_state(self, connected: bool) -> None:
        if connected:
            log.info("%s hears the acting controller", self._host)
        else:
            log.warning(
                "%s hears no acting controller; its workers keep serving version %d",
                self._host,
                self.version,
            )

    # Up

    def _on_peer(self, peer: Peer, connected: bool) -> None:
        peer = replace(peer, host=self._host)
        self.workers.come_and_go(peer, self._clock.monotonic(), connected=connected)
        if connected:
            self._link.introduce(str(peer.id), asdict(peer))
        else:
            self._link.leave(str(peer.id))

    def _on_up(self, peer: Peer, kind: str, payload: Payload) -> None:
        self._link.send(str(peer.id), kind, payload)
        peer, now = replace(peer, host=self._host), self._clock.monotonic()
        match kind:
            case "ack":
                self.workers.note_version(peer, payload["version"], now)
            case "outcomes":
                self.workers.note_outcomes(peer, OutcomeBatch.from_wire(payload), now)
            case "comparisons":
                self.workers.note_comparisons(peer, ComparisonBatch.from_wire(payload), now)
