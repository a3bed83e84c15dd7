"""The composition root: settings in, running processes out. The only place that knows all parts."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import logging
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

import structlog
import uvicorn
import uvloop

from proxy.admin.app import create_admin_app
from proxy.clock import SystemClock
from proxy.control.bus.local import LocalBus, LocalUplink
from proxy.control.controller import Controller
from proxy.control.loader import RulesFile
from proxy.control.publisher import Publisher
from proxy.control.store.sql import SqlStore
from proxy.errors import CutoverError, RulesError, SettingsError
from proxy.kill_file import KillFile
from proxy.observe.access_log import AccessLog
from proxy.observe.metrics import Metrics
from proxy.outcome import ComparisonBatch, ComparisonCount
from proxy.routing.rules import CompareRules as WrittenCompareRules
from proxy.routing.side import Side
from proxy.serving.drain import Patience
from proxy.serving.listener import listeners
from proxy.serving.mirror import Mirror
from proxy.serving.mirrored import mirror_rewrites
from proxy.serving.plane import Plane
from proxy.serving.supervisor import Child, Supervisor
from proxy.serving.worker import Worker
from proxy.settings import ROLES, ServeSettings, format_address
from proxy.snapshot import Snapshot
from shadow_compare.config import ShadowConfig, ShadowSettings, SideConfig, key_at
from shadow_compare.report import Report
from shadow_compare.rules import CompareRules
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.tables import metadata as comparison_tables
from shadow_compare.worker import Count, ShadowWorker

HEARTBEAT: Final = 1.0
"""Seconds between signs of life of a shadow worker that has nothing to compare."""

log = logging.getLogger("cutover")


def serve(settings: ServeSettings) -> int:
    """Start what the role asks for and keep it alive until a signal; gives the exit status.

    Raises SettingsError when an address or the state directory cannot be used, and RulesError at
    a first start with rules that are refused.
    """
    _log_to_stderr()
    paths = StatePaths(settings.state)
    paths.make()
    paths.claim(ROLES[1:] if settings.role == "all" else (settings.role,))
    _check_first_rules(settings, paths)
    children = _children(settings, paths)
    return Supervisor(children, settings.drain_seconds).run()


def _check_first_rules(settings: ServeSettings, paths: StatePaths) -> None:
    """Refuse to start with bad rules; a later start has the last good ones to go on with."""
    if settings.role in ("all", "controller") and not paths.snapshot.exists():
        RulesFile(settings.rules, SystemClock()).load()


class StatePaths:
    """Where everything lives below the state directory."""

    def __init__(self, state: Path) -> None:
        self.state: Final = state.absolute()
        self.bus: Final = self.state / "bus.sock"
        self.snapshot: Final = self.state / "snapshot.json"
        self.database_url: Final = f"sqlite+aiosqlite:///{self.state / 'cutover.db'}"
        self.redaction_key: Final = self.state / "redaction.key"
        self.mint_key: Final = self.state / "mint.key"

    def shadow(self, index: int) -> Path:
        """Socket of one shadow worker."""
        return self.state / f"shadow-{index}.sock"

    def make(self) -> None:
        """Make the directory; raises SettingsError when that is not possible."""
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"--state {self.state}: {error.strerror}") from error
        if not os.access(self.state, os.W_OK | os.X_OK):
            raise SettingsError(f"--state {self.state}: cannot be written by this user")

    def claim(self, roles: Sequence[str]) -> None:
        """Hold these roles in this directory for as long as this process lives.

        A second holder would take over the first one's sockets and its place in the status. The
        kind of lock is not inherited: children that drain keep nobody from starting anew. Raises
        SettingsError.
        """
        for role in roles:
            fd = os.open(self.state / f"{role}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise SettingsError(
                    f"--state {self.state}: another `cutover serve` has the role {role} there;"
                    " stop it first, or give this one a --state of its own"
                ) from error


def _children(settings: ServeSettings, paths: StatePaths) -> list[Child]:
    """The processes of a role. Sockets are opened here, so that a busy port is told at once."""
    role, children = settings.role, []
    mint_key = key_at(paths.mint_key)
    if role in ("all", "controller"):
        admin = _admin_socket(settings)
        children.append(
            Child("controller", partial(_run, _control, settings, paths, admin, mint_key))
        )
    if role in ("all", "shadow"):
        children += [
            Child(f"shadow worker {index}", partial(_run, _shadow, paths, index))
            for index in range(settings.shadow_workers)
        ]
    if role in ("all", "data-plane"):
        sockets = listeners(settings.listen, settings.workers)
        children += [
            Child(
                f"data plane worker {index}",
                partial(_run, _data_plane, settings, paths, index, sock, mint_key),
                first=True,
            )
            for index, sock in enumerate(sockets)
        ]
        log.info(
            "serving %s with %d workers", format_address(sockets[0].getsockname()[:2]), len(sockets)
        )
    return children


def _run(main: Callable[..., Any], *arguments: object) -> int:
    """The whole life of a child process; gives its exit status."""
    try:
        uvloop.run(main(*arguments))
    except CutoverError as error:
        log.error("%s", error)  # noqa: TRY400 - the text is meant for an operator
        return 1
    return 0


def _admin_socket(settings: ServeSettings) -> socket.socket:
    host, port = settings.admin_listen
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        sock = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {format_address((host, port))}: {error.strerror};"
            " choose another address with --admin-listen"
        ) from error
    log.info("console and API on http://%s", format_address(sock.getsockname()[:2]))
    return sock


# Controller


class _AdminServer(uvicorn.Server):
    """Leaves the signals of the process to the controller, whose process it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _control(
    settings: ServeSettings, paths: StatePaths, admin: socket.socket, mint_key: bytes
) -> None:
    clock = SystemClock()
    publisher = Publisher(
        paths.snapshot,
        lambda on_message, on_state: LocalBus(paths.bus, on_message, on_state),
    )
    store = SqlStore(paths.database_url)
    controller = Controller(RulesFile(settings.rules, clock), store, publisher, clock)
    comparisons = _database(paths)
    await controller.start()
    metrics = Metrics(controller.reading)
    app = create_admin_app(controller, Report(comparisons), settings.admin, metrics, mint_key)
    server = _AdminServer(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            lifespan="on",
            server_header=False,
            timeout_graceful_shutdown=2,
        )
    )
    console = asyncio.create_task(server.serve(sockets=[admin]))
    try:
        await _until_stopped(controller.run())
    finally:
        await controller.close()  # first: who follows `changed` must hear the end
        server.should_exit = True
        await asyncio.gather(console, return_exceptions=True)
        await comparisons.close()


# Data plane


async def _data_plane(
    settings: ServeSettings, paths: StatePaths, index: int, sock: socket.socket, mint_key: bytes
) -> None:
    access_log = None if settings.access_log == "off" else AccessLog(settings.access_log)
    mirror = Mirror([paths.shadow(i) for i in range(settings.shadow_workers)])
    # Not the loop's clock: uvloop's stands still within a turn and counts whole milliseconds.
    plane = Plane(index, settings.workers, mint_key, mirror, access_log, time.monotonic, time.time)
    patience = Patience(drain=settings.drain_seconds)
    kill_file = KillFile(paths.state)
    worker = Worker(plane, mirror, access_log, [sock], paths.snapshot, patience, kill_file)
    hello = {"role": "worker", "index": index, "pid": os.getpid()}
    await worker.run(
        lambda on_message: LocalUplink(paths.bus, hello, on_message, partial(_tell_link, index))
    )


def _tell_link(index: int, connected: bool) -> None:
    if connected:
        log.info("data plane worker %d: connected to the controller", index)
    else:
        log.warning("data plane worker %d: no controller; serving the last snapshot", index)


# Shadow worker


async def _shadow(paths: StatePaths, index: int) -> None:
    database = _database(paths)
    settings = ShadowSettings(redaction_key=key_at(paths.redaction_key))
    worker: ShadowWorker
    uplink: LocalUplink

    def on_message(kind: str, payload: dict[str, Any]) -> None:
        if kind != "snapshot":
            return
        try:
            worker.configure(shadow_config(Snapshot.from_wire(payload)))
        except (RulesError, ValueError) as error:
            log.error("shadow worker %d keeps its rules: %s", index, error)  # noqa: TRY400 - the text is the whole story
            return
        uplink.send("ack", {"version": worker.version})

    def on_counts(counts: list[Count]) -> None:
        batch = ComparisonBatch(
            worker=index,
            pid=os.getpid(),
            version=worker.version,
            at=time.time(),
            queue=worker.queued,
            counts=tuple(ComparisonCount(*count) for count in counts),
        )
        uplink.send("comparisons", batch.to_wire())

    worker = ShadowWorker(settings, ComparisonStore(database), on_counts)
    hello = {"role": "shadow", "index": index, "pid": os.getpid()}
    uplink = LocalUplink(paths.bus, hello, on_message, lambda _: None)

    async def heartbeat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            on_counts([])

    background = [asyncio.create_task(uplink.run()), asyncio.create_task(heartbeat())]
    try:
        await _until_stopped(worker.run(paths.shadow(index)))
    finally:
        for task in background:
            task.cancel()
        await database.close()


def shadow_config(snapshot: Snapshot) -> ShadowConfig:
    """Tell a shadow worker what a snapshot means to it; raises ValueError."""
    rules = snapshot.rules
    return ShadowConfig(
        version=snapshot.version,
        sides={side.value: SideConfig(rules.upstream(side).instances) for side in Side},
        routes={route.id: compare_rules(route.compare) for route in rules.routes},
        rewrites=mirror_rewrites(rules),
    )


def compare_rules(written: WrittenCompareRules) -> CompareRules:
    """Compile a route's comparison rules; raises ValueError."""
    return CompareRules.build(
        critical=written.critical,
        arrays=written.arrays,
        ignore=[asdict(rule) for rule in written.ignore],
        equivalences=written.equivalences,
        zone=written.zone,
    )


def _database(paths: StatePaths) -> Database:
    return Database(paths.database_url, comparison_tables)


async def _until_stopped(work: Any) -> None:
    """Run until SIGTERM or SIGINT cancels it."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task


# Logging


def _log_to_stderr() -> None:
    """Write what the product says of itself as JSON lines to standard error."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.processors.format_exc_info,
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for noisy in ("aiosqlite", "sqlalchemy"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
