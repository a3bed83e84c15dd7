"""A shadow worker's process."""

from __future__ import annotations

import asyncio
import os
import time
from collections import Counter
from typing import Any, Final

from proxy.bootstrap.forwarder import place_of
from proxy.bootstrap.keys import Keys
from proxy.bootstrap.logs import log
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import until_stopped
from proxy.bootstrap.recorder import keep_recordings, recorder
from proxy.bootstrap.shadow_rules import shadow_config
from proxy.bootstrap.tracing import exporter, span_of
from proxy.control.bus.local import LocalUplink
from proxy.errors import RulesError
from proxy.garbage import settle
from proxy.observe.exporter import Exporter
from proxy.outcome import ComparisonBatch, ComparisonCount, PairEvent, PairKind, WritesHalted
from proxy.serving.vitals import Pulse
from proxy.settings import ServeSettings
from proxy.slices import ask_for_long_slices
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError
from shadow_compare.config import ShadowSettings, key_at
from shadow_compare.intake import Source, from_socket
from shadow_compare.pairs import Baselines, Pair
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.permits import Permits
from shadow_compare.store.pruning import Retention
from shadow_compare.store.tables import metadata as comparison_tables
from shadow_compare.tally import Count
from shadow_compare.traced import Asked
from shadow_compare.worker import ShadowWorker
from shadow_compare.writes import Halt

NICE: Final = 10
"""Niceness of shadow workers: where cores are scarce, they get less of them than the others."""

HEARTBEAT: Final = 1.0
"""Seconds between signs of life of a shadow worker that has nothing to compare."""

YOUNG: Final = 50_000
"""Objects before the collector looks: pages and JSON are many that refer to nothing in a circle.

With the default of 700 it takes a third of the time for a megabyte, and half of it for eight.
"""


async def compare(
    settings: ServeSettings, paths: StatePaths, keys: Keys, index: int, pulse: Pulse
) -> None:
    """Compare captures until a signal, by the rules that the controller publishes."""
    os.nice(NICE)
    if not ask_for_long_slices():
        log.debug("the kernel does not let a shadow worker give way to others")
    shadow_settings = ShadowSettings(
        redaction_key=key_at(paths.redaction_key),
        write_key=keys.write,
        retention=Retention(
            age=settings.keep_days * 86_400.0,
            signatures=settings.keep_signatures,
            bytes=settings.keep_megabytes * 1_000_000,
        ),
    )
    database = Database(paths.database_url(settings), comparison_tables)
    link = _ControllerLink(paths, index, settings.shadow_workers)
    # Over a bus that is not local the forwarder of each host records, and nothing marked gets here.
    writing = recorder(paths, f"shadow{index}", settings.shadow_workers)
    spans = exporter(settings, f"shadow {index}", link.note)
    worker = ShadowWorker(
        shadow_settings,
        ComparisonStore(database),
        link.tell_counts,
        permits=Permits(database, shadow_settings.lost_write),
        on_halt=link.tell_halt,
        on_evidence=link.tell_evidence,
        recorder=writing,
        on_asked=None if spans is None else lambda asked: link.trace(asked, spans),
    )
    source = _source(settings, paths, index, shadow_settings.held_max, link.reclaimed)
    background = [*link.start(worker), asyncio.create_task(keep_recordings(settings, writing))]
    if spans is not None:
        background.append(asyncio.create_task(spans.run()))
    settle(young=YOUNG)
    pulse.is_ready()
    try:
        await until_stopped(worker.run(source))
    finally:
        for task in background:
            task.cancel()
        writing.close()
        if spans is not None:
            await spans.close()
        await database.close()


class _ControllerLink:
    """Takes rules from the controller to one shadow worker, and what came of them back.

    `reclaimed` counts, by shadow worker that died, the captures that were taken over from it.
    """

    def __init__(self, paths: StatePaths, index: int, workers: int) -> None:
        self.reclaimed: Final = Counter[str]()
        self._index = index
        self._workers = workers
        self._worker: ShadowWorker
        self._last: Snapshot | None = None
        self._events: dict[str, dict[str, int]] = {}
        hello = {"role": "shadow", "index": index, "pid": os.getpid()}
        self._uplink = LocalUplink(paths.bus, hello, self._take, lambda _: None)

    def start(self, worker: ShadowWorker) -> list[asyncio.Task[None]]:
        """Begin to keep the connection, and to give a sign of life each second."""
        self._worker = worker
        return [asyncio.create_task(self._uplink.run()), asyncio.create_task(self._beat())]

    def tell_counts(self, counts: list[Count]) -> None:
        """Tell what was counted since it was told last."""
        self._tell(counts=tuple(ComparisonCount(*count) for count in counts))

    def tell_evidence(self, pairs: list[Pair], baselines: Baselines) -> None:
        """Tell of single pairs, each of which is evidence, and of baselines."""
        told = tuple(PairEvent(**{**pair._asdict(), "kind": PairKind(pair.kind)}) for pair in pairs)
        self._tell(pairs=told, baselines=baselines)

    def note(self, event: str, label: str = "", count: int = 1) -> None:
        """Count an event, to be told with what comes next."""
        by_label = self._events.setdefault(event, {})
        by_label[label] = by_label.get(label, 0) + count

    def trace(self, asked: Asked, spans: Exporter) -> None:
        """Make the span of a second request that was traced; never fails."""
        rules = None if self._last is None else self._last.rules.route(asked.route)
        pattern = "/*" if rules is None else rules.match.path
        try:
            spans.offer(span_of(asked, pattern, time.time()))
        except Exception:
            log.exception("a span of route %s failed", asked.route)
            self.note("spans_dropped", "error")

    def _tell(self, **news: Any) -> None:
        batch = ComparisonBatch(
            worker=self._index,
            pid=os.getpid(),
            version=self._worker.version,
            at=time.time(),
            queue=self._worker.queued,
            reclaimed=self.reclaimed.total(),
            events=self._events,
            **{"counts": (), **news},
        )
        self.reclaimed.clear()
        self._events = {}
        self._uplink.send("comparisons", batch.to_wire())

    def tell_halt(self, halt: Halt) -> None:
        """Tell that writes of a route must no longer be mirrored by anybody."""
        told = WritesHalted(halt.route, halt.epoch, halt.write, halt.why)
        self._uplink.send("writes_halted", told.to_wire())

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            self.tell_counts([])
            for halt in self._worker.halts:  # told once more: there may have been no controller
                self.tell_halt(halt)

    def _take(self, kind: str, payload: dict[str, Any]) -> None:
        if kind != "snapshot":
            return
        try:
            self._last = Snapshot.from_wire(payload, self._last)
            self._worker.configure(shadow_config(self._last, self._workers))
        except (RulesError, TlsError, ValueError) as error:
            log.error("shadow worker %d keeps its rules: %s", self._index, error)
            return
        self._uplink.send("ack", {"version": self._worker.version})


def _source(
    settings: ServeSettings, paths: StatePaths, index: int, held_max: int, reclaimed: Counter[str]
) -> Source:
    """Where a shadow worker gets its captures."""
    if settings.bus.is_local:
        return from_socket(paths.shadow(index))
    from shadow_compare.stream.reader import from_stream

    return from_stream(place_of(settings.bus), str(index), held_max, reclaimed)
