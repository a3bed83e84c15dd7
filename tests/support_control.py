"""A controller over doubles, and the words to play a scene with it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any

from proxy.clock import FakeClock
from proxy.control.bus.base import Peer
from proxy.control.bus.memory import MemoryBus
from proxy.control.controller import Controller
from proxy.control.loader import RulesFile
from proxy.control.publisher import Publisher
from proxy.control.status import RouteStatus
from proxy.control.store.memory import MemoryStore
from proxy.kill_file import KillFile
from proxy.outcome import (
    BadEvent,
    ComparisonBatch,
    ComparisonCount,
    OutcomeBatch,
    OutcomeKind,
    PairEvent,
    PairKind,
    Tally,
    latency_bucket,
)
from proxy.recording import RecordingFile
from proxy.snapshot import Snapshot

RULES = """\
# Who serves what.
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
plans:
  standard:
    - {weight: 0%}
    - {weight: 10%, until: {requests: 100}}
    - {weight: 100%}
routes:
  - id: plans            # the first to move
    match: {path: /api/plans}
    weight: 10%          # see ticket
    plan: standard
    mirror: {share: 100%}
  - id: subscriptions
    match: {path: /api/subscriptions}
    weight: 50%
    on_breach: freeze
  - id: everything-else
    match: {path: /*}
"""

WORKER = Peer(1, "worker", 0, 4711)
SHADOW = Peer(2, "shadow", 0, 4712)

_identities = count(1)


@dataclass
class Scene:
    """One state directory with whatever controllers come to it, one after another."""

    directory: Path
    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryStore = field(default_factory=MemoryStore)
    published: list[Snapshot] = field(default_factory=list)
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    on_publish: Callable[[], None] = lambda: None
    _controller: Controller | None = None

    def __post_init__(self) -> None:
        if not self.file.exists():
            self.file.write_text(RULES)

    @property
    def file(self) -> Path:
        """The rules file."""
        return self.directory / "routing_rules.yaml"

    @property
    def snapshot_file(self) -> Path:
        """Where the snapshot is left for those who come later."""
        return self.directory / "snapshot.json"

    @property
    def controller(self) -> Controller:
        """The controller that runs now."""
        assert self._controller is not None
        return self._controller

    @property
    def version(self) -> int:
        """The version in force."""
        return self.controller.status().version

    async def start(self) -> Controller:
        """Start a controller; the one before is left as if it had been killed."""
        publisher = Publisher(self.snapshot_file, self._open_bus)
        rules_file = RulesFile(self.file, self.clock)
        kill_file = KillFile(self.directory)
        self._controller = Controller(
            rules_file,
            self.store,
            publisher,
            self.clock,
            RecordingFile(self.directory),
            kill_file,
        )
        await self._controller.start()
        return self._controller

    def route(self, route_id: str = "plans") -> RouteStatus:
        """One route as it is now."""
        return next(r for r in self.controller.status().routes if r.id == route_id)

    def edit(self, old: str, new: str) -> None:
        """Edit the rules file as a careful editor does, by renaming, and let it be noticed."""
        text = self.file.read_text()
        assert old in text
        self.write(text.replace(old, new))

    def write(self, text: str) -> None:
        """Put another rules file in place, and let it be noticed."""
        fresh = self.directory / "fresh"
        fresh.write_text(text)
        fresh.replace(self.file)
        self.pass_time(0.05)
        self.pass_time(0.05)

    def pass_time(self, seconds: float) -> None:
        """Let time pass up to the next tick."""
        self.clock.advance(seconds)
        self.controller.tick()

    async def steps(self, seconds: float = 1.0) -> None:
        """Let time pass, and plans take the steps that are due by then."""
        self.pass_time(seconds)
        await self.controller.take_steps()

    def outcomes(
        self,
        ok: int = 0,
        bad: int = 0,
        route: str = "plans",
        side: str = "modern",
        latency: float = 0.02,
        version: int | None = None,
        identity: int | None = None,
        slow: int = 0,
    ) -> None:
        """A worker reports so many outcomes, each failure of another customer.

        So many of what is `ok` were slow.
        """
        events = [bad_event(self.clock.wall(), identity) for _ in range(bad)]
        tally = Tally(ok + bad, ok + bad, ok, bad, bad_events=events)
        tally.latencies = {latency_bucket(latency): ok} if ok else {}
        tally.slow, tally.slow_events = slow, [slow_event(self.clock.wall()) for _ in range(slow)]
        number = self.version if version is None else version
        batch = OutcomeBatch(WORKER.index, WORKER.pid, number, self.clock.wall())
        batch.tallies[route, side] = tally
        self.controller.on_message(WORKER, "outcomes", batch.to_wire())

    def comparisons(
        self, verdict: str, number: int, reason: str = "", route: str = "plans"
    ) -> None:
        """A shadow worker reports so many comparisons."""
        counts = (ComparisonCount(route, "legacy", verdict, reason, False, number),)
        batch = ComparisonBatch(
            SHADOW.index, SHADOW.pid, self.version, self.clock.wall(), 5, counts
        )
        self.controller.on_message(SHADOW, "comparisons", batch.to_wire())

    def pair(self, kind: PairKind, identity: int | None = None, place: str = "$.price") -> None:
        """A shadow worker reports a pair of answers, another customer's unless one is named."""
        who = next(_identities) if identity is None else identity
        event = PairEvent(
            "plans", kind, self.clock.wall(), who, "GET", "/api/plans", f"r{who}", 200, 200, place
        )
        batch = ComparisonBatch(
            SHADOW.index, SHADOW.pid, self.version, self.clock.wall(), 5, (), pairs=(event,)
        )
        self.controller.on_message(SHADOW, "comparisons", batch.to_wire())

    def _open_bus(self, on_message: Any, on_state: Any) -> MemoryBus:
        return _RecordingBus(self, on_message, on_state)


class _RecordingBus(MemoryBus):
    def __init__(self, scene: Scene, on_message: Any, on_state: Any) -> None:
        super().__init__(on_message, on_state)
        self._scene = scene

    def publish(self, kind: str, payload: dict[str, Any]) -> None:
        super().publish(kind, payload)
        if kind != "snapshot":
            self._scene.told.append((kind, payload))
            return
        self._scene.published.append(Snapshot.from_wire(payload))
        self._scene.on_publish()


def slow_event(at: float) -> BadEvent:
    """Give one answer that was slow, of a customer of its own."""
    return replace(bad_event(at), kind=OutcomeKind.OK, status=200, latency=1.5)


def bad_event(at: float, identity: int | None = None) -> BadEvent:
    """Give one failure, of a customer of its own unless one is named."""
    number = next(_identities) if identity is None else identity
    return BadEvent(
        at, number, OutcomeKind.CONNECT, 0, 0.001, "GET", "/api/plans?token=secret", f"r{number}"
    )
