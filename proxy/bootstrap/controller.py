"""The controller's process, with the console and the API beside it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Iterator, Sequence
from dataclasses import replace
from secrets import token_hex
from typing import Any

import uvicorn

from proxy.admin.app import create_admin_app
from proxy.bootstrap.keys import Keys
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import Process, until_stopped
from proxy.clock import SystemClock
from proxy.control.alerts.file import load_alerting
from proxy.control.alerts.sender import Alerts
from proxy.control.alerts.targets import Alerting
from proxy.control.alerts.watch import TroubleWatch
from proxy.control.anchor import Anchor
from proxy.control.audit import verify_aside
from proxy.control.bus.local import LocalBus
from proxy.control.controller import Controller
from proxy.control.loader import RulesFile
from proxy.control.losses import Losses
from proxy.control.publisher import Publisher
from proxy.control.store.sql import SqlStore
from proxy.garbage import settle
from proxy.observe.metrics import Metrics, ProcessReading, Reading
from proxy.settings import ServeSettings
from shadow_compare.report import Report
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.tables import metadata as comparison_tables


async def control(
    settings: ServeSettings,
    paths: StatePaths,
    keys: Keys,
    admin: socket.socket,
    processes: Sequence[Process],
) -> None:
    """Decide, publish and show until a signal; `processes` are all of this family."""
    clock = SystemClock()
    publisher = Publisher(
        paths.snapshot,
        lambda on_message, on_state: LocalBus(paths.bus, on_message, on_state),
    )
    store = SqlStore(paths.database_url(settings), Anchor(paths.journal_head))
    rules_file = RulesFile(settings.rules, clock)
    comparisons = Database(paths.database_url(settings), comparison_tables)
    losses = Losses(ComparisonStore(comparisons).record, clock.wall)
    controller = Controller(
        rules_file,
        store,
        publisher,
        clock,
        paths.recording,
        paths.kill_file,
        losses.add,
    )
    alerting = Alerting() if settings.alerts is None else load_alerting(settings.alerts)
    alerts = Alerts(alerting, clock, token_hex(8))
    controller.follow_decisions(alerts.decided)
    await controller.start()
    metrics = Metrics(lambda: _with_others(controller.reading(), processes, alerts))
    app = create_admin_app(
        controller,
        Report(comparisons),
        settings.admin,
        metrics,
        keys.mint,
        keys.override,
        lambda: verify_aside(paths.audit_url(settings), Anchor(paths.journal_head)),
    )
    server = _admin_server(app)
    console = asyncio.create_task(server.serve(sockets=[admin]))
    keeping = asyncio.create_task(losses.run())
    telling = asyncio.create_task(alerts.run())
    watch = TroubleWatch(lambda: controller.troubles, alerts.tell, clock)
    watching = asyncio.create_task(watch.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, controller.read_rules)
    next(process.pulse for process in processes if process.role == "controller").is_ready()
    settle()
    try:
        await until_stopped(controller.run())
    finally:
        await controller.close()  # first: who follows `changed` must hear the end
        server.should_exit = True
        keeping.cancel()
        watching.cancel()
        await alerts.close(telling)
        await asyncio.gather(console, keeping, watching, return_exceptions=True)
        await losses.flush()
        await comparisons.close()


def _with_others(reading: Reading, processes: Sequence[Process], alerts: Alerts) -> Reading:
    """Add what the controller itself does not know."""
    told = {("alerts", outcome): count for outcome, count in alerts.by_outcome().items()}
    events = {**reading.events, **told}
    return replace(reading, processes=tuple(map(_reading, processes)), events=events)


def _reading(process: Process) -> ProcessReading:
    return ProcessReading(process.role, process.index, process.pulse.restarts, process.pulse.hangs)


class _AdminServer(uvicorn.Server):
    """Leaves the signals of the process to the controller, whose process it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _admin_server(app: Any) -> _AdminServer:
    return _AdminServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
