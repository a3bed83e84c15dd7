"""Which workers there are, as far as the controller has heard."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.control.bus.base import Peer
from proxy.control.status import WorkerStatus
from proxy.outcome import ComparisonBatch, OutcomeBatch

FORGET_SECONDS = 600.0
"""How long a worker that is gone is still shown."""


@dataclass(slots=True)
class _Worker:
    peer: Peer
    seen: float
    connected: bool = True
    version: int = 0
    connections: int = 0
    queue: int = 0
    pools: dict[str, dict[str, int]] = field(default_factory=dict)


class Workers:
    """One entry for each role and index; a restarted worker takes its predecessor's place."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, int], _Worker] = {}

    def come_and_go(self, peer: Peer, now: float, *, connected: bool) -> None:
        """Note that a connection began or ended; `now` is monotonic seconds."""
        key = (peer.role, peer.index)
        if connected:
            self._workers[key] = _Worker(peer, now)
        elif (worker := self._workers.get(key)) is not None and worker.peer.id == peer.id:
            worker.connected, worker.seen = False, now

    def note_version(self, peer: Peer, version: int, now: float) -> None:
        """Note by which version a worker goes."""
        if (worker := self._current(peer)) is not None:
            worker.seen, worker.version = now, version

    def note_outcomes(self, peer: Peer, batch: OutcomeBatch, now: float) -> None:
        """Note what a data plane worker says of itself."""
        self.note_version(peer, batch.version, now)
        if (worker := self._current(peer)) is not None:
            worker.connections, worker.pools = batch.connections, batch.pools

    def note_comparisons(self, peer: Peer, batch: ComparisonBatch, now: float) -> None:
        """Note what a shadow worker says of itself."""
        self.note_version(peer, batch.version, now)
        if (worker := self._current(peer)) is not None:
            worker.queue = batch.queue

    def statuses(self, now: float) -> tuple[WorkerStatus, ...]:
        """Give all of them in order, and forget those long gone."""
        self._workers = {
            key: worker
            for key, worker in sorted(self._workers.items())
            if worker.connected or now - worker.seen < FORGET_SECONDS
        }
        return tuple(
            WorkerStatus(
                role=worker.peer.role,
                index=worker.peer.index,
                pid=worker.peer.pid,
                version=worker.version,
                connected=worker.connected,
                last_seen=max(0.0, now - worker.seen),
                connections=worker.connections,
                queue=worker.queue,
            )
            for worker in self._workers.values()
        )

    def pools(self) -> dict[tuple[int, str, str], int]:
        """Give the connections of each worker's pools, by worker index, side and state."""
        return {
            (worker.peer.index, side, state): count
            for worker in self._workers.values()
            if worker.connected
            for side, states in worker.pools.items()
            for state, count in states.items()
        }

    def _current(self, peer: Peer) -> _Worker | None:
        worker = self._workers.get((peer.role, peer.index))
        return worker if worker is not None and worker.peer.id == peer.id else None
