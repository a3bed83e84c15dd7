"""The composition root: settings in, running processes out. The only place that knows all parts."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import lru_cache, partial
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any, Final

import orjson
import structlog
import uvicorn
import uvloop

from proxy.admin.app import create_admin_app
from proxy.bus_url import BusUrl
from proxy.clock import SystemClock
from proxy.compiled import is_compiled
from proxy.control.bus.local import LocalBus, LocalUplink
from proxy.control.controller import Controller
from proxy.control.loader import RulesFile
from proxy.control.losses import Losses
from proxy.control.publisher import Publisher
from proxy.control.store.sql import SqlStore
from proxy.errors import CutoverError, RulesError, SettingsError
from proxy.garbage import settle
from proxy.kill_file import KillFile
from proxy.observe.access_log import AccessLog
from proxy.observe.metrics import Metrics, ProcessReading
from proxy.outcome import ComparisonBatch, ComparisonCount, OutcomeBatch, WritesHalted
from proxy.routing import pattern
from proxy.routing.read_back import ReadBackRules
from proxy.routing.rules import RouteRules
from proxy.routing.side import Side
from proxy.routing.upstream_rules import UpstreamRules
from proxy.serving import downstream
from proxy.serving.child import Child
from proxy.serving.claims import Claims, Papers
from proxy.serving.drain import Patience
from proxy.serving.estate import Estate
from proxy.serving.inheritance import Inheritance, Word, inheritance
from proxy.serving.listener import Listener, dealt, listeners
from proxy.serving.mirror import Mirror
from proxy.serving.mirrored import mirror_rewrites
from proxy.serving.notify import Notifier
from proxy.serving.plane import Plane
from proxy.serving.supervisor import Supervisor
from proxy.serving.tls import CertificateStore
from proxy.serving.vitals import Pulse, pulses
from proxy.serving.watchdog import Watchdog
from proxy.serving.worker import Worker
from proxy.settings import (
    OVERRIDE_KEY,
    ROLES,
    SHADOW_KEY,
    ServeSettings,
    format_address,
    read_override_key,
)
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError, client_context
from proxy.upstream.instance import Instance
from shadow_compare.config import KEY_BYTES, ShadowConfig, ShadowSettings, SideConfig, key_at
from shadow_compare.intake import Source, from_socket
from shadow_compare.read_back import ReadBack, member_keys
from shadow_compare.report import Report
from shadow_compare.rules import CompareRules
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.database import Database
from shadow_compare.store.permits import Permits
from shadow_compare.store.pruning import Retention
from shadow_compare.store.tables import metadata as comparison_tables
from shadow_compare.tally import Count
from shadow_compare.worker import ShadowWorker
from shadow_compare.writes import Halt

if TYPE_CHECKING:
    from shadow_compare.stream.place import Place

FORWARDED: Final = 0.25
"""Seconds between words to the controller of captures that were forwarded."""

SHADOW_NICE: Final = 10
"""Niceness of shadow workers: where cores are scarce, they wait and not the clients."""

HEARTBEAT: Final = 1.0
"""Seconds between signs of life of a shadow worker that has nothing to compare."""

log = logging.getLogger("cutover")


def serve(settings: ServeSettings, told: str = "") -> int:
    """Start what the role asks for and keep it alive until a signal; gives the exit status.

    `told` is a first sentence for the log, of how the code itself has been loaded.

    Raises SettingsError when an address or the state directory cannot be used, and RulesError for
    rules that are refused: at a first start, and when it is to succeed a running `cutover serve`,
    which is told, and goes on.
    """
    _log_to_stderr()
    if told:
        log.info("%s", told)
    inherited = inheritance(os.environ)
    try:
        supervisor = _supervisor(settings, inherited)
    except CutoverError as error:
        if inherited is not None:
            inherited.channel.say(Word.FAILED, str(error))
        raise
    return supervisor.run()


def _supervisor(settings: ServeSettings, inherited: Inheritance | None) -> Supervisor:
    paths = StatePaths(settings.state)
    paths.make()
    claims = Claims(paths.state, ROLES[1:] if settings.role == "all" else (settings.role,))
    if inherited is None:
        claims.claim()
        _check_first_rules(settings, paths)
    else:
        _check_as_successor(settings, paths)
    estate = Estate(
        claims=claims,
        papers=Papers(paths.state, settings.role),
        notifier=Notifier(os.environ),
        kill=partial(paths.kill_file.turn_on, "SIGUSR1", "sent to the supervisor"),
        generation=1 if inherited is None else inherited.generation,
    )
    children = _children(settings, paths, estate, inherited)
    if inherited is not None:
        inherited.close_rest()
    return Supervisor(children, _patience(settings), estate, inherited)


def _patience(settings: ServeSettings) -> Patience:
    return Patience(settings.grace_seconds, settings.drain_seconds, settings.retire_seconds)


def _check_first_rules(settings: ServeSettings, paths: StatePaths) -> None:
    """Refuse to start with bad rules; a later start has the last good ones to go on with."""
    if settings.role in ("all", "controller") and not paths.snapshot.exists():
        RulesFile(settings.rules, SystemClock()).load()


def _check_as_successor(settings: ServeSettings, paths: StatePaths) -> None:
    """Refuse to succeed with rules that this version does not take, whoever took them before."""
    if settings.role in ("all", "controller"):
        RulesFile(settings.rules, SystemClock()).load()
    if settings.role in ("all", "data-plane") and paths.snapshot.exists():
        try:
            Snapshot.from_wire(orjson.loads(paths.snapshot.read_bytes()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise SettingsError(
                f"{paths.snapshot}: this version cannot serve by it: {error}"
            ) from error


class StatePaths:
    """Where everything lives below the state directory."""

    def __init__(self, state: Path) -> None:
        self.state: Final = state.absolute()
        self.bus: Final = self.state / "bus.sock"
        self.snapshot: Final = self.state / "snapshot.json"
        self._database_url = f"sqlite+aiosqlite:///{self.state / 'cutover.db'}"
        self.redaction_key: Final = self.state / "redaction.key"
        self.mint_key: Final = self.state / "mint.key"
        self.kill_file: Final = KillFile(self.state)

    @property
    def captures(self) -> Path:
        """Socket of whoever forwards captures."""
        return self.state / "captures.sock"

    def shadow(self, index: int) -> Path:
        """Socket of one shadow worker."""
        return self.state / f"shadow-{index}.sock"

    def database_url(self, settings: ServeSettings) -> str:
        """Where versions, decisions and comparisons are kept."""
        return settings.store or self._database_url

    def make(self) -> None:
        """Make the directory; raises SettingsError when that is not possible."""
        try:
            self.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise SettingsError(f"--state {self.state}: {error.strerror}") from error
        if not os.access(self.state, os.W_OK | os.X_OK):
            raise SettingsError(f"--state {self.state}: cannot be written by this user")


_Process = tuple[str, int, Pulse]
"""Role, index, and signs of life of one child."""


def _children(
    settings: ServeSettings, paths: StatePaths, estate: Estate, inherited: Inheritance | None
) -> list[Child]:
    """The processes of a role. Sockets are opened here, so that a busy port is told at once."""
    role, children = settings.role, []
    if not settings.bus.is_local:
        place = _place(settings.bus)
        log.info("captures go over %s, in %s", settings.bus, place.key)
    mint_key, override_key = key_at(paths.mint_key), _override_key(paths)
    write_key = _write_key(settings, paths)
    certificates = _certificates(settings)
    roles = ["controller"] if role in ("all", "controller") else []
    roles += ["shadow"] * settings.shadow_workers if role in ("all", "shadow") else []
    roles += ["forwarder"] if role in ("all", "data-plane") and not settings.bus.is_local else []
    roles += ["worker"] * settings.workers if role in ("all", "data-plane") else []
    rows = pulses(len(roles))
    processes = [
        (name, roles[:place].count(name), row)
        for place, (name, row) in enumerate(zip(roles, rows, strict=True))
    ]
    dealt_out: list[list[Listener]] = []
    admin: list[socket.socket] = []
    if "controller" in roles:
        admin = _admin_sockets(settings, estate, inherited)
    if "worker" in roles:
        dealt_out = _listeners(settings, estate, inherited)
    for name, index, pulse in processes:
        if name == "controller":
            keys = (mint_key, override_key)
            run = partial(_run, _control, settings, paths, admin[0], *keys, processes)
            children.append(Child("controller", run, sockets=tuple(admin), pulse=pulse))
        elif name == "shadow":
            run = partial(_run, _shadow, settings, paths, index, write_key, pulse)
            children.append(Child(f"shadow worker {index}", run, pulse=pulse))
        elif name == "forwarder":
            run = partial(_run, _forward, settings, paths, index, pulse)
            children.append(Child("capture forwarder", run, pulse=pulse))
        else:
            own, generation = dealt_out[index], estate.generation
            run = partial(
                _run, _data_plane, settings, paths, index, own, mint_key, override_key,
                certificates, pulse, generation,
            )  # fmt: skip
            watchdog = Watchdog(settings.hang_seconds)
            sockets = tuple(each.sock for each in own)
            worker = Child(f"data plane worker {index}", run, True, sockets, pulse, watchdog)
            children.append(worker)
    return children


def _listeners(
    settings: ServeSettings, estate: Estate, inherited: Inheritance | None
) -> list[list[Listener]]:
    """Open every listener, or take it over; gives what each worker listens on."""
    hands: list[list[Listener]] = [[] for _ in range(settings.workers)]
    for place, listen in enumerate(settings.listen):
        name = f"listen {format_address(listen.address)}"
        if not listen.address[1]:  # there may be several whose port the system chooses
            name += f" ({place})"
        given = inherited.take(name) if inherited is not None else []
        found = estate.sockets[name] = listeners(listen.address, settings.workers, given)
        for hand, sockets in zip(hands, dealt(found, settings.workers), strict=True):
            hand += [Listener(sock, listen.tls, listen.proxy) for sock in sockets]
        at = replace(listen, address=found[0].getsockname()[:2])
        log.info("serving %s with %d workers", at, settings.workers)
    return hands


def _certificates(settings: ServeSettings) -> CertificateStore | None:
    """Read the certificates, before the workers are forked; raises SettingsError."""
    if not settings.tls_certificate:
        return None
    store = CertificateStore(settings.tls_certificate, settings.tls_key)
    store.warn_of_expiry(time.time())
    return store


def _override_key(paths: StatePaths) -> bytes:
    """Give the key that signs overrides, made at the first start; raises SettingsError."""
    key_at(paths.state / OVERRIDE_KEY)
    return read_override_key(paths.state)


def _write_key(settings: ServeSettings, paths: StatePaths) -> bytes:
    """Give the key of mirrored writes, which is a text, as the application is told it, too."""
    if settings.shadow_key is not None:
        return settings.shadow_key.encode()
    return key_at(paths.state / SHADOW_KEY, lambda: token_hex(KEY_BYTES).encode())


def _run(main: Callable[..., Any], *arguments: object) -> int:
    """The whole life of a child process; gives its exit status."""
    try:
        uvloop.run(main(*arguments))
    except CutoverError as error:
        log.error("%s", error)  # noqa: TRY400 - the text is meant for an operator
        return 1
    return 0


def _admin_sockets(
    settings: ServeSettings, estate: Estate, inherited: Inheritance | None
) -> list[socket.socket]:
    name = f"admin {format_address(settings.admin_listen)}"
    found = inherited.take(name) if inherited is not None else []
    estate.sockets[name] = found = found or [_admin_socket(settings)]
    log.info("console and API on http://%s", format_address(found[0].getsockname()[:2]))
    return found


def _admin_socket(settings: ServeSettings) -> socket.socket:
    host, port = settings.admin_listen
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {format_address((host, port))}: {error.strerror};"
            " choose another address with --admin-listen"
        ) from error


# Controller


class _AdminServer(uvicorn.Server):
    """Leaves the signals of the process to the controller, whose process it is."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _control(
    settings: ServeSettings,
    paths: StatePaths,
    admin: socket.socket,
    mint_key: bytes,
    override_key: bytes,
    processes: list[_Process],
) -> None:
    clock = SystemClock()
    publisher = Publisher(
        paths.snapshot,
        lambda on_message, on_state: LocalBus(paths.bus, on_message, on_state),
    )
    store = SqlStore(paths.database_url(settings))
    rules_file = RulesFile(settings.rules, clock)
    comparisons = Database(paths.database_url(settings), comparison_tables)
    losses = Losses(ComparisonStore(comparisons).record, clock.wall)
    controller = Controller(rules_file, store, publisher, clock, paths.kill_file, losses.add)
    await controller.start()
    metrics = Metrics(
        lambda: replace(controller.reading(), processes=tuple(map(_process_reading, processes)))
    )
    app = create_admin_app(
        controller, Report(comparisons), settings.admin, metrics, mint_key, override_key
    )
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
    keeping = asyncio.create_task(losses.run())
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, controller.read_rules)
    next(pulse for role, _, pulse in processes if role == "controller").is_ready()
    settle()
    try:
        await _until_stopped(controller.run())
    finally:
        await controller.close()  # first: who follows `changed` must hear the end
        server.should_exit = True
        keeping.cancel()
        await asyncio.gather(console, keeping, return_exceptions=True)
        await losses.flush()
        await comparisons.close()


# Data plane


async def _data_plane(
    settings: ServeSettings,
    paths: StatePaths,
    index: int,
    own: Sequence[Listener],
    mint_key: bytes,
    override_key: bytes,
    certificates: CertificateStore | None,
    pulse: Pulse,
    generation: int,
) -> None:
    access_log = None if settings.access_log == "off" else AccessLog(settings.access_log)
    mirror = Mirror(
        [paths.shadow(i) for i in range(settings.shadow_workers)]
        if settings.bus.is_local
        else [paths.captures]
    )
    # Not the loop's clock: uvloop's stands still within a turn and counts whole milliseconds.
    plane = Plane(
        index, settings.workers, mint_key, mirror, access_log, time.monotonic, time.time,
        ready_path=settings.ready_path, override_key=override_key,
    )  # fmt: skip
    worker = Worker(
        plane,
        mirror,
        access_log,
        own,
        paths.snapshot,
        _patience(settings),
        paths.kill_file,
        pulse,
        certificates,
    )
    hello = {
        "role": "worker",
        "index": index,
        "pid": os.getpid(),
        "generation": generation,
        "compiled": is_compiled(downstream),
    }
    await worker.run(
        lambda on_message: LocalUplink(paths.bus, hello, on_message, partial(_tell_link, index))
    )


def _process_reading(process: _Process) -> ProcessReading:
    role, index, pulse = process
    return ProcessReading(role, index, pulse.restarts, pulse.hangs)


def _tell_link(index: int, connected: bool) -> None:
    if connected:
        log.info("data plane worker %d: connected to the controller", index)
    else:
        log.warning("data plane worker %d: no controller; serving the last snapshot", index)


# Shadow worker


async def _shadow(
    settings: ServeSettings, paths: StatePaths, index: int, write_key: bytes, pulse: Pulse
) -> None:
    os.nice(SHADOW_NICE)
    database = Database(paths.database_url(settings), comparison_tables)
    shadow_settings = ShadowSettings(
        redaction_key=key_at(paths.redaction_key),
        write_key=write_key,
        retention=Retention(
            age=settings.keep_days * 86_400.0,
            signatures=settings.keep_signatures,
            bytes=settings.keep_megabytes * 1_000_000,
        ),
    )
    reclaimed = Counter[str]()
    worker: ShadowWorker
    uplink: LocalUplink
    last: Snapshot | None = None

    def on_message(kind: str, payload: dict[str, Any]) -> None:
        nonlocal last
        if kind != "snapshot":
            return
        try:
            last = Snapshot.from_wire(payload, last)
            worker.configure(shadow_config(last, settings.shadow_workers))
        except (RulesError, TlsError, ValueError) as error:
            log.error("shadow worker %d keeps its rules: %s", index, error)  # noqa: TRY400 - the text is the whole story
            return
        uplink.send("ack", {"version": worker.version})

    def on_halt(halt: Halt) -> None:
        told = WritesHalted(halt.route, halt.epoch, halt.write, halt.why)
        uplink.send("writes_halted", told.to_wire())

    def on_counts(counts: list[Count]) -> None:
        batch = ComparisonBatch(
            worker=index,
            pid=os.getpid(),
            version=worker.version,
            at=time.time(),
            queue=worker.queued,
            counts=tuple(ComparisonCount(*count) for count in counts),
            reclaimed=reclaimed.total(),
        )
        reclaimed.clear()
        uplink.send("comparisons", batch.to_wire())

    permits = Permits(database, shadow_settings.lost_write)
    worker = ShadowWorker(
        shadow_settings, ComparisonStore(database), on_counts, permits=permits, on_halt=on_halt
    )
    hello = {"role": "shadow", "index": index, "pid": os.getpid()}
    uplink = LocalUplink(paths.bus, hello, on_message, lambda _: None)

    source = _source(settings, paths, index, shadow_settings.held_max, reclaimed)

    async def heartbeat() -> None:
        while True:
            await asyncio.sleep(HEARTBEAT)
            on_counts([])
            for halt in worker.halts:  # told once more: there may have been no controller
                on_halt(halt)

    background = [asyncio.create_task(uplink.run()), asyncio.create_task(heartbeat())]
    # Pages and JSON are many objects that refer to nothing in a circle: with the default of 700 the
    # collector takes a third of the time for a megabyte, and half of it for eight.
    settle(young=50_000)
    pulse.is_ready()
    try:
        await _until_stopped(worker.run(source))
    finally:
        for task in background:
            task.cancel()
        await database.close()


def _source(
    settings: ServeSettings, paths: StatePaths, index: int, held_max: int, reclaimed: Counter[str]
) -> Source:
    """Where a shadow worker gets its captures."""
    if settings.bus.is_local:
        return from_socket(paths.shadow(index))
    from shadow_compare.stream.reader import from_stream

    return from_stream(_place(settings.bus), str(index), held_max, reclaimed)


async def _forward(settings: ServeSettings, paths: StatePaths, index: int, pulse: Pulse) -> None:
    """Put captures on the Redis stream, and tell the controller what came of it."""
    from shadow_compare.stream.forwarder import Forwarder

    forwarder, version = Forwarder(_place(settings.bus)), 0

    def on_message(kind: str, payload: dict[str, Any]) -> None:
        nonlocal version
        if kind == "snapshot":
            version = payload["version"]
            uplink.send("ack", {"version": version})

    async def tell() -> None:
        while True:
            await asyncio.sleep(FORWARDED)
            added = forwarder.take_added()
            batch = OutcomeBatch(
                worker=index,
                pid=os.getpid(),
                version=version,
                at=time.time(),
                captures_dropped=forwarder.take_dropped(),
                events={"captures_forwarded": {"": added}} if added else {},
                stream=forwarder.figures,
            )
            uplink.send("outcomes", batch.to_wire())

    hello = {"role": "forwarder", "index": index, "pid": os.getpid()}
    uplink = LocalUplink(paths.bus, hello, on_message, lambda _: None)
    background = [asyncio.create_task(uplink.run()), asyncio.create_task(tell())]
    pulse.is_ready()
    try:
        await _until_stopped(forwarder.run(paths.captures))
    finally:
        for task in background:
            task.cancel()


def _place(bus: BusUrl) -> Place:
    """Where captures are in Redis; raises SettingsError when its client is not installed."""
    try:
        from shadow_compare.stream.place import Place
    except ImportError as error:
        raise SettingsError(
            f"--bus {bus} needs the package redis: pip install 'cutover[redis]'"
        ) from error
    return Place(bus.url, bus.prefix)


def shadow_config(snapshot: Snapshot, workers: int = 1) -> ShadowConfig:
    """Tell one of so many shadow workers what a snapshot means to it.

    Raises ValueError and TlsError.
    """
    rules = snapshot.rules
    total, legacy_rate = rules.mirror.budget.concurrency, rules.mirror.legacy_rate
    return ShadowConfig(
        version=snapshot.version,
        sides={side.value: _shadow_side(rules.upstream(side)) for side in Side},
        routes={route.id: compare_rules(route) for route in rules.routes},
        rewrites=mirror_rewrites(rules),
        concurrency={
            route.id: max(1, most // workers)
            for route in rules.routes
            if (most := route.mirror.budget.concurrency) is not None
        },
        together=None if total is None else max(1, total // workers),
        legacy_rate=None if legacy_rate is None else legacy_rate / workers,
        writes=snapshot.mirrored_writes(),
        read_backs={
            route.id: read_back(route, written)
            for route in rules.routes
            if (written := route.mirror.read_back) is not None
        },
    )


def read_back(route: RouteRules, written: ReadBackRules) -> ReadBack:
    """Compile what is read after writes of a route."""
    ids = dict(written.ids)
    parts = pattern.segments(route.match.path)
    return ReadBack(
        path=written.path,
        segments={name: parts.index(f"{{{name}}}") for name in written.names if name not in ids},
        members={name: member_keys(ids[name]) for name in written.names if name in ids},
        after=written.after,
        within=written.within,
    )


@lru_cache(maxsize=len(Side))
def _shadow_side(rules: UpstreamRules) -> SideConfig:
    """Tell a shadow worker where a side is; the same context as long as its rules are the same."""
    secure = any(Instance.parse(url).secure for url in rules.instances)
    return SideConfig(
        rules.instances,
        tls=client_context(rules) if secure else None,
        server_name=rules.tls.server_name,
    )


def compare_rules(route: RouteRules) -> CompareRules:
    """Compile a route's comparison rules; raises ValueError."""
    written = route.compare
    # A second answer of modern's costs what any request does; PHP's are the route's to allow.
    allowed = (Side.MODERN, *route.mirror.towards)
    return CompareRules.build(
        critical=written.critical,
        arrays=written.arrays,
        ignore=[asdict(rule) for rule in written.ignore],
        equivalences=[asdict(rule) for rule in written.equivalences],
        tolerances=[asdict(rule) for rule in written.tolerances],
        correspond=[asdict(rule) for rule in written.correspond],
        zone=written.zone,
        redact=written.redact,
        noise=written.noise,
        baselines=[side.value for side in allowed],
        repeat=written.repeat,
    )


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
