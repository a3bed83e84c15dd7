"""The whole local stack: which parts there are, what each needs first, and starting any of them.

A part is a server or a task. Starting one starts what it needs; what can go side by side does:
parts are taken in waves, each wave prepared in parallel, then launched, then waited for.
"""

from __future__ import annotations

import contextlib
import fcntl
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from deploy.stack.apache import Apache
from deploy.stack.celery import CeleryBeat, CeleryWorker
from deploy.stack.cutover import RULES, Cutover
from deploy.stack.errors import StackError
from deploy.stack.mail import Mail
from deploy.stack.mariadb import MariaDb
from deploy.stack.modern import Modern, modern_environment
from deploy.stack.ports import Ports
from deploy.stack.postgres import Postgres
from deploy.stack.processor import Processor
from deploy.stack.program import ROOT
from deploy.stack.redis import Redis
from deploy.stack.secret import load_or_create
from deploy.stack.server import Server
from deploy.stack.task import Copy, Schema, Seed, Task

RUN_DIR = ROOT / ".run"

NEEDS: Mapping[str, tuple[str, ...]] = {
    "mariadb": (),
    "postgres": (),
    "redis": (),
    "processor": (),
    "mail": (),
    "seed": ("mariadb",),
    "schema": ("postgres",),
    "copy": ("seed", "schema"),
    "legacy": ("redis", "seed"),
    "modern": ("redis", "copy"),
    "celery-worker": ("redis", "copy"),
    "celery-beat": ("redis", "copy"),
    "cutover": ("legacy", "modern"),
}


@dataclass(frozen=True)
class Options:
    """How a stack differs from the standard one."""

    rules: Path = RULES
    workers: int = 2
    faults: bool = False  # the modern side gets the demonstration's fault switch
    fast: bool = False  # databases give up durability
    tied: bool = False  # servers end with the program that started them


@dataclass(frozen=True)
class Status:
    """What is known of one server."""

    name: str
    address: str
    pid: int | None
    healthy: bool
    log: Path


class Stack:
    """All parts of one stack below one run directory."""

    def __init__(
        self,
        run_dir: Path = RUN_DIR,
        ports: Ports | None = None,
        options: Options | None = None,
        report: Callable[[str], None] = lambda _: None,
    ) -> None:
        """Lay the parts out; nothing is started, and only the secrets file is written."""
        run_dir.mkdir(parents=True, exist_ok=True)
        self.run_dir = run_dir
        self.ports = ports or Ports.load(run_dir / "ports.json")
        self.options = options or Options()
        self._report = report
        self._began = time.monotonic()
        self._build(load_or_create(run_dir / "secrets"))

    def _build(self, secrets: Mapping[str, str]) -> None:
        run_dir, ports, opt = self.run_dir, self.ports, self.options
        durability = {"fast": opt.fast, "tied": opt.tied}
        self.mariadb = MariaDb(run_dir, ports.mariadb, secrets["mariadb_root"], **durability)
        self.postgres = Postgres(run_dir, ports.postgres, secrets["postgres"], **durability)
        self.redis = Redis(run_dir, ports.redis, tied=opt.tied)
        self.processor = Processor(run_dir, ports.processor, tied=opt.tied)
        self.mail = Mail(run_dir, ports.mail, tied=opt.tied)
        sessions = (self.redis.host, self.redis.port)
        self.seed = Seed(self.mariadb, secrets["legacy_db"], sessions)
        self.schema = Schema(self.postgres, secrets["modern_db"])
        self.copy = Copy(self.postgres, self.seed.database, self.schema.database)
        self.legacy = Apache(
            run_dir,
            ports.legacy,
            self.seed.database,
            sessions,
            processor=self.processor.account("legacy", secrets["processor_legacy"]),
            tied=opt.tied,
        )
        self.modern_environment = modern_environment(
            self.schema.database.sqlalchemy_url,
            self.redis.url(),
            secrets["secret_key"],
            shadow_key=secrets["shadow_key"],
            processor=self.processor.account("modern", secrets["processor_modern"]),
            smtp_url=self.mail.url,
        )
        env = self.modern_environment
        self.modern = Modern(run_dir, ports.modern, env, faults=opt.faults, tied=opt.tied)
        self.celery_worker = CeleryWorker(run_dir, env, tied=opt.tied)
        self.celery_beat = CeleryBeat(run_dir, env, tied=opt.tied)
        self.cutover = Cutover(
            run_dir,
            ports,
            rules=opt.rules,
            workers=opt.workers,
            shadow_key=secrets["shadow_key"],
            tied=opt.tied,
        )

    @property
    def servers(self) -> dict[str, Server]:
        """Every server by name, in the order in which they are started."""
        listed: tuple[Server, ...] = (
            self.mariadb,
            self.postgres,
            self.redis,
            self.processor,
            self.mail,
            self.legacy,
            self.modern,
            self.celery_worker,
            self.celery_beat,
            self.cutover,
        )
        return {server.name: server for server in listed}

    @property
    def tasks(self) -> dict[str, Task]:
        """Every task by name."""
        return {task.name: task for task in (self.seed, self.schema, self.copy)}

    def up(self, *names: str) -> None:
        """Start these parts, or all, and write down where they listen.

        A server that runs with other arguments than it would be given now is started anew.
        """
        with self._lock():
            self._refuse_to_move()
            for server in self.servers.values():
                if server.outdated():
                    server.stop()
            self.ports.save(self.run_dir / "ports.json")
            self.ensure(*(names or NEEDS))

    def ensure(self, *names: str) -> None:
        """Start these parts and all that they need; undone again when one fails."""
        started: list[Server] = []
        try:
            for wave in waves(names):
                self._start_wave(wave, started)
        except BaseException:
            for server in reversed(started):
                server.stop()
            raise

    def down(self) -> None:
        """Stop every server, the ones that others need last."""
        with self._lock():
            for server in reversed(self.servers.values()):
                if server.running():
                    began = time.monotonic()
                    server.stop()
                    self._say(server.name, f"stopped in {time.monotonic() - began:.1f} s")
                else:
                    server.kill()  # the rest of a group whose leader has died

    def restart(self, name: str, env: Mapping[str, str] | None = None) -> None:
        """Stop one server and start it again, with extra environment if given."""
        server = self.server(name)
        server.stop()
        server.extra_env = env or {}
        server.start()

    def server(self, name: str) -> Server:
        """Return a server by name; raises StackError naming those there are."""
        try:
            return self.servers[name]
        except KeyError:
            known = ", ".join(self.servers)
            raise StackError(f"there is no server named {name!r}; there are: {known}") from None

    def status(self) -> list[Status]:
        """Return what is known of every server."""
        return [_status(server) for server in self.servers.values()]

    def environment(self) -> dict[str, str]:
        """Return the variables with which other commands reach this stack; holds passwords."""
        http = f"http://{self.cutover.host}"
        return {
            "CUTOVER_PROXY_URL": f"{http}:{self.ports.proxy}",
            "CUTOVER_ADMIN_URL": f"{http}:{self.ports.console}",
            "CUTOVER_RULES": str(self.cutover.rules),
            "LEGACY_URL": f"{http}:{self.ports.legacy}",
            "MODERN_URL": f"{http}:{self.ports.modern}",
            "LEGACY_DATABASE_URL": self.seed.database.url,
            **self.modern_environment,
        }

    def _start_wave(self, wave: list[str], started: list[Server]) -> None:
        tasks = [task for name, task in self.tasks.items() if name in wave and not task.done()]
        servers = [
            server for name, server in self.servers.items() if name in wave and not server.running()
        ]
        steps = [*(task.perform for task in tasks), *(server.prepare for server in servers)]
        _side_by_side(steps)
        for task in tasks:
            self._say(task.name, "done")
        for server in servers:
            started.append(server)
            server.launch()
        for server in servers:
            server.settle()
            self._say(server.name, f"ready  {server.address}")

    def _refuse_to_move(self) -> None:
        written = self.run_dir / "ports.json"
        running = [name for name, server in self.servers.items() if server.running()]
        if running and written.exists() and Ports.load(written) != self.ports:
            raise StackError(
                f"the stack runs on other ports ({', '.join(running)}); stop it first: make stop"
            )

    def _say(self, name: str, text: str) -> None:
        self._report(f"[{time.monotonic() - self._began:5.1f} s] {name:<14} {text}")

    @contextlib.contextmanager
    def _lock(self) -> Iterator[None]:
        # Two starts at the same time would both find every port free.
        with (self.run_dir / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def waves(names: tuple[str, ...]) -> list[list[str]]:
    """Return the parts and all that they need, in groups that can be started side by side."""
    depth: dict[str, int] = {}

    def visit(name: str) -> int:
        if name not in depth:
            depth[name] = 1 + max(map(visit, NEEDS[name]), default=-1)
        return depth[name]

    for name in names:
        visit(name)
    count = max(depth.values(), default=-1) + 1
    return [[name for name in NEEDS if depth.get(name) == level] for level in range(count)]


def _side_by_side(steps: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(max_workers=max(len(steps), 1)) as pool:
        for done in [pool.submit(step) for step in steps]:
            done.result()


def _status(server: Server) -> Status:
    pid = server.process.pid
    try:
        healthy = pid is not None and server.ready()
    except OSError:
        healthy = False
    return Status(server.name, server.address, pid, healthy, server.process.log)
