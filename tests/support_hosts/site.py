"""Three hosts with what they need, an operator, and somebody who writes down what happens."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from tests.support import eventually_async
from tests.support_hosts.books import Books
from tests.support_hosts.host import Host
from tests.support_hosts.judge import judge
from tests.support_hosts.lan import make_lan
from tests.support_hosts.leftovers import sweep
from tests.support_hosts.record import Act, Command, Excuse, Promise, Record
from tests.support_hosts.servers import (
    APPS,
    POSTGRES,
    REDIS,
    SERVICES,
    SitePostgres,
    SiteRedis,
    app_in,
    signal_to,
)
from tests.support_hosts.watch import HASTE, PACE, Watch
from tests.support_proxy import Plain, RefusedError

HOSTS: Final = ("one", "two", "three")

PATIENCE: Final = 60.0
"""Seconds within which everybody has to agree once everything is well again."""

LATELY: Final = 1.0
"""Seconds since a worker has served somebody, so that it counts as well."""

RULES: Final = """\
version: 1
trusted_networks: ["127.0.0.0/8"]
upstreams:
  legacy: {{instances: ["http://{legacy}"], timeouts: {{connect: 1s, response: 5s}}}}
  modern: {{instances: ["http://{modern}"], timeouts: {{connect: 1s, response: 5s}}}}
defaults:
  sticky_by: [cookie:visitor]
  rollback: {{error_rate: 5%, p95: 20s, window: 60s, min_requests: 20}}
routes:
  - id: orders
    match: {{path: /orders}}
    weight: 50%
  - id: invoices
    match: {{path: /invoices}}
    weight: 20%
"""


class Site:
    """Hosts, servers and applications below a folder, in one event loop.

    `refusals` is what operators were told instead of an acknowledgement.
    """

    def __init__(self, folder: Path, seed: int, names: tuple[str, ...] = HOSTS) -> None:
        self.names = names
        self.lan = lan = make_lan(names, SERVICES)
        self.redis = SiteRedis(folder, lan)
        self.postgres = SitePostgres(folder, lan)
        self.legacy, self.modern = app_in(lan, "legacy"), app_in(lan, "modern")
        self.record = Record()
        self.refusals: list[str] = []
        self.hosts: dict[str, Host] = {}
        self.watches: dict[str, Watch] = {}
        self.books: Books
        self._folder = folder
        self._chance = Random(seed)
        self._watching: list[asyncio.Task[None]] = []
        self._numbers = count(1)

    async def start(self) -> None:
        """Start everything, and wait until all hosts agree."""
        sweep()
        self.redis.start()
        self.postgres.start()
        self._login = self.postgres.create_database("cutover")
        self.books = Books(self.postgres, self._login)
        await self.legacy.start()
        await self.modern.start()
        for name in self.names:
            self._add(name)
        await self.settled()

    async def close(self) -> None:
        """End everything."""
        for task in self._watching:
            task.cancel()
        await asyncio.gather(*self._watching, return_exceptions=True)
        for host in self.hosts.values():
            host.end()
        self.books.close()
        self.legacy.kill()
        self.modern.kill()
        self.redis.kill()
        self.postgres.kill()
        self.lan.close()

    # What an operator does

    async def command(
        self, act: Act, route: str = "", weight: int | None = None, at: str = ""
    ) -> Promise | None:
        """Ask one host, or any, and whichever it names instead.

        Gives None where nobody has agreed; it may have been done all the same.
        """
        name = at or self._chance.choice(self.names)
        command = Command(f"command {next(self._numbers)}", act, route, weight)
        self.record.commands.append(command)
        sent = time.time()
        method, path, body = _asked(command)
        for _ in self.names:
            try:
                answer = await self.hosts[name].send(method, path, **body)
            except RefusedError as refusal:
                self.refusals.append(f"{name} to {command.reason}, {command.act}: {refusal}")
                if (name := _elsewhere(refusal)) not in self.hosts:
                    return None
            except OSError as error:
                self.refusals.append(f"{name} to {command.reason}, {command.act}: {error}")
                return None
            else:
                promise = Promise(command, sent, time.time(), answer["number"], name)
                self.record.promises.append(promise)
                return promise
        return None

    async def insist(
        self, act: Act, route: str = "", weight: int | None = None, at: str = ""
    ) -> Promise:
        """Ask again and again, until somebody agrees."""

        async def agreed() -> Promise | None:
            return await self.command(act, route, weight, at)

        what = f"{act} {route} is acknowledged"
        try:
            promise = await eventually_async(agreed, PATIENCE, what)
        except AssertionError as never:
            raise AssertionError("\n".join((what, *self.refusals[-3:]))) from never
        assert promise is not None
        return promise

    # What is to be seen

    @property
    def newest(self) -> int:
        """The newest version that has been read from the store."""
        return self.record.published[-1].number if self.record.published else 0

    async def read_store(self) -> None:
        """Read what has been published since."""
        self.record.published += await self.books.versions(self.newest)

    async def settled(self) -> float:
        """Wait until everybody goes by the newest version; gives how many seconds that took."""
        began = time.time()
        await eventually_async(self._agree, PATIENCE, "all hosts and workers agree")
        self._end_excuses()
        return time.time() - began

    async def statuses(self) -> dict[str, Plain]:
        """Ask every host how things are."""
        told = await asyncio.gather(*(host.status() for host in self.hosts.values()))
        return dict(zip(self.hosts, told, strict=True))

    async def opinions(self) -> list[str]:
        """Say by which versions the workers of every host serve, and what the host itself says."""
        found = [f"the store: {await self.books.holder()} acts, version {self.newest}"]
        for name, host in self.hosts.items():
            served = {pid: self.watches[name].serving.get(pid) for pid in host.workers}
            try:
                status = await host.status()
            except OSError as error:
                found.append(f"{name}: serves {served}; {error}")
                continue
            says = {key: status[key] for key in ("acting", "token", "version", "store_problem")}
            found.append(f"{name}: serves {served}; says {says}")
        return found

    async def spread(self, promise: Promise) -> dict[str, float]:
        """Wait until a change is in force on every worker.

        Gives the seconds from the command to the first request that the last worker of each host
        has served by it.
        """

        async def known() -> bool:
            return all(watch.reached() >= promise.version for watch in self.watches.values())

        what = f"version {promise.version} is in force everywhere"
        await eventually_async(known, PATIENCE, what)
        first: dict[tuple[str, int], float] = {}
        for seen in self.record.seen:
            if seen.version >= promise.version:
                first.setdefault((seen.host, seen.worker), seen.at - promise.sent)
        return {
            name: max(first[name, worker] for worker in host.workers)
            for name, host in self.hosts.items()
        }

    async def violations(self) -> list[str]:
        """Give what is wrong with the round, which ends with this."""
        await self.read_store()
        for watch in self.watches.values():
            watch.read_log()
        found = judge(self.record)
        self.record.begin_round()
        return found

    async def another_acts(self, token: int) -> str:
        """Wait until a host acts under a newer token, and says so itself; gives its name."""

        async def name() -> str:
            holder, newer = await self.books.holder()
            if newer <= token:
                return ""
            status = await self.hosts[holder].status()
            return holder if status["acting"] == holder else ""

        return await eventually_async(name, PATIENCE, "another host acts") or ""

    def mend(self) -> None:
        """End whatever has been done to it."""
        self.modern.failing = self.legacy.failing = 0.0
        for name, host in self.hosts.items():
            self.lan.plug_in(name)
            for place in SERVICES:
                self.lan.heal(name, place)
            host.wake("all")
            if not host.up:
                host.launch()
        for server in (self.redis, self.postgres):
            signal_to(server, signal.SIGCONT)
            if not server.running():
                server.begin()

    def excuse(self, host: str, why: str, seconds: float = float("inf")) -> None:
        """Let clients of a host be hurt from now on: until all is well again, if not said."""
        now = time.time()
        self.record.excuses.append(Excuse(host, now, now + seconds, why))

    @contextmanager
    def haste(self) -> Iterator[None]:
        """Have clients ask more often, as long as the block lasts."""
        try:
            self._ask_every(HASTE)
            yield
        finally:
            self._ask_every(PACE)

    def _ask_every(self, pace: float) -> None:
        for watch in self.watches.values():
            watch.pace = pace

    def _add(self, name: str) -> None:
        """Start a host. All have the same rules, and so the same addresses of applications."""
        apps = {
            app.name: f"{self.lan.address(APPS)}:{app.port}" for app in (self.legacy, self.modern)
        }
        address, port = self.lan.way(name, REDIS, self.redis.port)
        redis = f"redis://{address}:{port}/0"
        address, port = self.lan.way(name, POSTGRES, self.postgres.port)
        store = replace(self._login, host=address, port=port).url
        host = Host(
            name, self.lan.place(name), self._folder / name, RULES.format(**apps),
            "--host", name, "--bus", redis, "--store", store,
        )  # fmt: skip
        self.hosts[name] = host
        self.watches[name] = watch = Watch(host, self.record, Random(self._chance.random()))
        self.excuse(name, "it is being started")
        host.launch()
        self._watching.append(asyncio.create_task(watch.run()))

    async def _agree(self) -> bool:
        """Say whether all workers serve by the newest version, and all hosts name one leader."""
        await self.read_store()
        lately = time.time() - LATELY
        watches = self.watches.values()
        if not all(each.well(lately) and each.reached() == self.newest for each in watches):
            return False
        told = (await self.statuses()).values()
        agreed = {(each["acting"], each["token"], each["version"]) for each in told}
        return len(agreed) == 1 and agreed == {(*await self.books.holder(), self.newest)}

    def _end_excuses(self) -> None:
        now = time.time()
        self.record.excuses = [
            Excuse(each.host, each.since, min(each.until, now), each.why)
            for each in self.record.excuses
        ]


def _asked(command: Command) -> tuple[str, str, dict[str, Any]]:
    """Give method, path and body of a command of the API."""
    said: dict[str, Any] = {"reason": command.reason}
    if command.weight is not None:
        said["weight"] = command.weight / 100
    match command.act:
        case Act.SET_WEIGHT:
            return "PUT", f"/routes/{command.route}/weight", said
        case Act.ROLLBACK:
            return "POST", f"/routes/{command.route}/rollback", said
        case Act.RESUME:
            return "POST", f"/routes/{command.route}/resume", {**said, "force": True}
        case Act.KILL | Act.UNKILL:
            return "PUT", "/kill-switch", {**said, "on": command.act is Act.KILL}


def _elsewhere(refusal: RefusedError) -> str:
    """Give the host that a refusal names, if any."""
    try:
        return json.loads(str(refusal)).get("acting") or ""
    except ValueError:
        return ""


@asynccontextmanager
async def running_site(seed: int) -> AsyncIterator[Site]:
    """Give a site that runs."""
    folder = Path(tempfile.mkdtemp(prefix="cutover-tests-"))
    site = Site(folder, seed)
    try:
        await site.start()
        yield site
    finally:
        await site.close()
        shutil.rmtree(folder, ignore_errors=True)
