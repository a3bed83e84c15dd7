"""Which workers there are, as far as the controller has heard."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from proxy.control.bus.base import Peer
from proxy.control.status import WorkerStatus
from proxy.outcome import ComparisonBatch, OutcomeBatch

DATA_PLANE = "worker"
"""The role of those who serve."""

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
    instances: dict[str, dict[str, list[int]]] = field(default_factory=dict)
    breakers: dict[str, int] = field(default_factory=dict)
    certificates: dict[str, float] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its index, on its host where there are many."""
        return worker_name(self.peer.host, self.peer.index)


def worker_name(host: str, index: int) -> str:
    """Name a worker in words and in metrics."""
    return f"{host}/{index}" if host else str(index)


_Key = tuple[str, str, int]


def _key(peer: Peer) -> _Key:
    return peer.host, peer.role, peer.index


class Workers:
    """One entry for each host, role and index; a restarted worker takes its predecessor's place.

    While an upgrade replaces the program both generations are connected. The place is the younger
    one's; the older is retiring, and still heard.
    """

    def __init__(self) -> None:
        self._workers: dict[_Key, _Worker] = {}
        self._retiring: dict[int, _Worker] = {}
        self._heard = -math.inf

    def come_and_go(self, peer: Peer, now: float, *, connected: bool) -> None:
        """Note that a connection began or ended; `now` is monotonic seconds."""
        if connected:
            self._come(peer, now)
        elif self._retiring.pop(peer.id, None) is None:
            self._go(peer, now)

    def _come(self, peer: Peer, now: float) -> None:
        key = _key(peer)
        present = self._workers.get(key)
        if present is None or not present.connected:
            self._workers[key] = _Worker(peer, now)
        elif present.peer.generation > peer.generation:
            self._retiring[peer.id] = _Worker(peer, now)
        else:
            if present.peer.generation < peer.generation:
                self._retiring[present.peer.id] = present
            self._workers[key] = _Worker(peer, now)

    def _go(self, peer: Peer, now: float) -> None:
        """Give the place back to an older one, if an upgrade has failed."""
        key = _key(peer)
        worker = self._workers.get(key)
        if worker is None or worker.peer.id != peer.id:
            return
        worker.connected, worker.seen = False, now
        older = [w for w in self._retiring.values() if _key(w.peer) == key]
        if older:
            self._workers[key] = last = max(older, key=lambda w: w.peer.generation)
            del self._retiring[last.peer.id]

    def note_version(self, peer: Peer, version: int, now: float) -> None:
        """Note by which version a worker goes."""
        if (worker := self._current(peer)) is not None:
            worker.seen, worker.version = now, version

    def note_outcomes(self, peer: Peer, batch: OutcomeBatch, now: float) -> None:
        """Note what a data plane worker says of itself."""
        self._heard = now
        self.note_version(peer, batch.version, now)
        if (worker := self._current(peer)) is not None:
            worker.connections, worker.pools = batch.connections, batch.pools
            worker.instances, worker.breakers = batch.instances, batch.breakers
            worker.certificates = batch.certificates

    def note_comparisons(self, peer: Peer, batch: ComparisonBatch, now: float) -> None:
        """Note what a shadow worker says of itself."""
        self.note_version(peer, batch.version, now)
        if (worker := self._current(peer)) is not None:
            worker.queue = batch.queue

    def unheard(self, now: float, silence: float) -> str | None:
        """Say which connected data plane worker has said nothing for so many seconds, if any.

        It may be serving all the same, and nobody measures what.
        """
        for (_, role, _), worker in sorted(self._workers.items()):
            silent = now - worker.seen
            if role == DATA_PLANE and worker.connected and silent > silence:
                told = f"worker {worker.name} has said nothing for {silent:.0f} s"
                return f"{told}; it may serve unmeasured"
        return None

    def silent_for(self, now: float) -> float:
        """Give for how many seconds no data plane worker has told what it saw; inf if none ever."""
        return now - self._heard

    @property
    def retiring(self) -> int:
        """How many connected workers an upgrade has replaced."""
        return len(self._retiring)

    def statuses(self, now: float) -> tuple[WorkerStatus, ...]:
        """Give all that have a place, in order, and forget those long gone."""
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
                compiled=worker.peer.compiled,
                host=worker.peer.host,
            )
            for worker in self._workers.values()
        )

    def pools(self) -> dict[tuple[str, str, str], int]:
        """Give the connections of each worker's pools, by worker, side and state."""
        return {
            (worker.name, side, state): count
            for worker in self._workers.values()
            if worker.connected
            for side, states in worker.pools.items()
            for state, count in states.items()
        }

    def instances(self) -> dict[tuple[str, str, str], tuple[int, int]]:
        """Give whether each instance takes part and its load, by worker, side and address."""
        return {
            (worker.name, side, instance): (admitted, in_flight)
            for worker in self._workers.values()
            if worker.connected
            for side, instances in worker.instances.items()
            for instance, (admitted, in_flight) in instances.items()
        }

    def breakers(self) -> dict[tuple[str, str], int]:
        """Give where each worker's breakers stand, by worker and side."""
        return {
            (worker.name, side): state
            for worker in self._workers.values()
            if worker.connected
            for side, state in worker.breakers.items()
        }

    def certificates(self) -> dict[tuple[str, str], float]:
        """Give when each certificate ends, by worker and file."""
        return {
            (worker.name, file): end
            for worker in self._workers.values()
            if worker.connected
            for file, end in worker.certificates.items()
        }

    def _current(self, peer: Peer) -> _Worker | None:
        worker = self._workers.get(_key(peer))
        if worker is not None and worker.peer.id == peer.id:
            return worker
        return self._retiring.get(peer.id)
