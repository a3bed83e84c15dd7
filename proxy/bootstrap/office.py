"""A controller with all that works beside it while it acts: alerts, losses, console and API."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from secrets import token_hex

from starlette.applications import Starlette

from proxy.admin.app import create_admin_app
from proxy.admin.interfaces import Controller as AnyController
from proxy.bootstrap.keys import Keys
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import Process
from proxy.clock import Clock
from proxy.control.alerts.file import load_alerting
from proxy.control.alerts.sender import Alerts
from proxy.control.alerts.targets import Alerting
from proxy.control.alerts.watch import TroubleWatch
from proxy.control.anchor import Anchor
from proxy.control.audit import verify_aside
from proxy.control.bus.local import LocalBus
from proxy.control.controller import Controller
from proxy.control.desk import Hosts
from proxy.control.loader import RulesFile
from proxy.control.losses import Losses
from proxy.control.publisher import Publisher, Publishing
from proxy.control.status import DecisionRecord
from proxy.control.store.base import Store
from proxy.observe.metrics import ProcessReading, Reading, written
from proxy.settings import ServeSettings
from shadow_compare.report import Report
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.tables import metadata as comparison_tables


class Office:
    """Everything that there is only where a controller acts; `processes` are all of this family.

    `acts` says whether it may still be believed in: what a controller decides that was paused, and
    succeeded meanwhile, is in force nowhere, and nobody is told of it.
    """

    def __init__(
        self,
        settings: ServeSettings,
        paths: StatePaths,
        keys: Keys,
        processes: Sequence[Process],
        rules_file: RulesFile,
        store: Store,
        publisher: Publishing,
        clock: Clock,
        hosts: Hosts | None = None,
        acts: Callable[[], bool] = lambda: True,
    ) -> None:
        self._acts = acts
        self._settings = settings
        self._paths = paths
        self._keys = keys
        self._processes = processes
        self.comparisons = Database(paths.database_url(settings), comparison_tables)
        self._losses = Losses(ComparisonStore(self.comparisons).record, clock.wall)
        self.controller = Controller(
            rules_file,
            store,
            publisher,
            clock,
            paths.recording,
            paths.kill_file,
            self._losses.add,
            hosts,
        )
        alerting = Alerting() if settings.alerts is None else load_alerting(settings.alerts)
        self._alerts = Alerts(alerting, clock, token_hex(8), proof=self.controller.entry)
        self.controller.follow_decisions(self._decided)
        self._watch = TroubleWatch(lambda: self.controller.troubles, self._alerts.tell, clock)
        self._telling: asyncio.Task[None]
        self._others: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        """Have the controller take over; raises what `Controller.start` does."""
        await self.controller.start()
        self._telling = asyncio.create_task(self._alerts.run())
        self._others = [asyncio.create_task(each.run()) for each in (self._losses, self._watch)]

    def app(self) -> Starlette:
        """Give the console and the API."""
        return admin_app(
            self._settings,
            self._paths,
            self._keys,
            self.controller,
            self.comparisons,
            lambda: _with_others(self.controller.reading(), self._processes, self._alerts),
        )

    async def close(self) -> None:
        """Tell what is to be told, and let go; the controller has ended before."""
        for task in self._others:
            task.cancel()
        try:
            await self._alerts.close(self._telling)
            await self._losses.flush()
        finally:
            self._telling.cancel()
            await asyncio.gather(self._telling, *self._others, return_exceptions=True)
            await self.comparisons.close()

    def _decided(self, decision: DecisionRecord) -> None:
        if self._acts():
            self._alerts.decided(decision)


def local_publisher(paths: StatePaths) -> Publisher:
    """Give what tells the workers of this host, over the local bus and the snapshot file."""
    return Publisher(
        paths.snapshot,
        lambda on_message, on_state: LocalBus(paths.bus, on_message, on_state),
    )


def admin_app(
    settings: ServeSettings,
    paths: StatePaths,
    keys: Keys,
    controller: AnyController,
    comparisons: Database,
    reading: Callable[[], Reading],
) -> Starlette:
    """Give the console and the API of a controller, acting or not."""
    return create_admin_app(
        controller,
        Report(comparisons),
        settings.admin,
        lambda: asyncio.to_thread(written, reading()),  # read here, and 2,000 routes written there
        keys.mint,
        keys.override,
        lambda: verify_aside(paths.audit_url(settings), Anchor(paths.journal_head)),
    )


def _with_others(reading: Reading, processes: Sequence[Process], alerts: Alerts) -> Reading:
    """Add what the controller itself does not know."""
    told = {("alerts", outcome): count for outcome, count in alerts.by_outcome().items()}
    events = {**reading.events, **told}
    return replace(reading, processes=processes_reading(processes), events=events)


def processes_reading(processes: Sequence[Process]) -> tuple[ProcessReading, ...]:
    """Give what the supervisor knows of its children."""
    return tuple(
        ProcessReading(each.role, each.index, each.pulse.restarts, each.pulse.hangs)
        for each in processes
    )
