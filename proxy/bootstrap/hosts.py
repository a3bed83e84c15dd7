"""The controller's process among many hosts: it stands by, and acts while it has the lease."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from ipaddress import ip_address
from secrets import token_hex
from typing import Final

from proxy.admin.reception import Reception
from proxy.bootstrap.controller import admin_server
from proxy.bootstrap.keys import Keys
from proxy.bootstrap.office import Office, admin_app, local_publisher, processes_reading
from proxy.bootstrap.paths import StatePaths
from proxy.bootstrap.process import Process, until_stopped
from proxy.clock import SystemClock
from proxy.control.anchor import Anchor
from proxy.control.bus.redis import RedisBus
from proxy.control.bus.redis_place import RoutingPlace
from proxy.control.hosts.bridge import Bridge
from proxy.control.hosts.candidate import Candidate
from proxy.control.hosts.lease import Report, SqlLease
from proxy.control.hosts.publisher import HostsPublisher
from proxy.control.hosts.standby import Standby
from proxy.control.hosts.tenure import BEAT, Tenure
from proxy.control.loader import RulesFile
from proxy.control.own_writing import OwnWriting
from proxy.control.store.fence import Fence
from proxy.control.store.sql import SqlStore
from proxy.errors import CutoverError
from proxy.garbage import settle
from proxy.settings import Address, ServeSettings, format_address
from shadow_compare.config import key_at
from shadow_compare.store.database import Database
from shadow_compare.store.errors import StoreError
from shadow_compare.store.tables import metadata as comparison_tables

ABANDON: Final = 2.0
"""Seconds that letting go may take when there is nothing left to write."""

AGAIN: Final = 1.0
"""Seconds before a host that could not take over tries once more; another may be luckier."""

log = logging.getLogger(__name__)


async def control_among_hosts(
    settings: ServeSettings,
    paths: StatePaths,
    keys: Keys,
    admin: socket.socket,
    processes: Sequence[Process],
) -> None:
    """Bridge, stand by and act until a signal; `processes` are all of this family."""
    # An installation that had both options before there were many hosts becomes one by its upgrade.
    log.info(
        "%s is one host among many, as it has --bus redis and a --store in PostgreSQL; who acts is"
        " agreed on there",
        settings.host,
    )
    host = _Host(settings, paths, keys, processes, admin.getsockname()[:2])
    server = admin_server(host.reception)
    await host.bridge.start()
    console = asyncio.create_task(server.serve(sockets=[admin]))
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, host.reload)
    next(process.pulse for process in processes if process.role == "controller").is_ready()
    settle()
    try:
        await until_stopped(host.run())
    finally:
        host.standby.end()
        server.should_exit = True
        await host.close()
        await asyncio.gather(console, return_exceptions=True)


def _reachable(admin: Address, name: str) -> Address:
    """Give where others find an API that listens on every address: by the name of its host."""
    host, port = admin
    return (name, port) if ip_address(host).is_unspecified else admin


class _Host:
    """What this host is among the others."""

    def __init__(
        self,
        settings: ServeSettings,
        paths: StatePaths,
        keys: Keys,
        processes: Sequence[Process],
        admin: tuple[str, int],
    ) -> None:
        self._settings = settings
        self._paths = paths
        self._keys = keys
        self._processes = processes
        self._clock = SystemClock()
        self._url = f"http://{format_address(_reachable(admin, settings.host))}"
        own = key_at(paths.state / "host.id", lambda: token_hex(16).encode()).decode()
        self._id = f"{settings.host}/{own}"
        self._place = RoutingPlace(settings.bus.url, settings.bus.prefix)
        self._rules_file = RulesFile(settings.rules, self._clock, OwnWriting(paths.own_rules))
        self._store = SqlStore(settings.store)
        self._comparisons = Database(settings.store, comparison_tables)
        local = local_publisher(paths)
        self.bridge = Bridge(
            self._place,
            settings.host,
            local,
            self._clock,
            lambda record, snapshot: self.standby.follow(record, snapshot),
        )
        self._lease = SqlLease(settings.store)
        self.candidate = Candidate(self._lease, self._clock, self._report)
        self.standby = Standby(
            self.bridge,
            self.candidate,
            self._store,
            self._rules_file,
            self._clock,
            paths.recording,
            paths.kill_file,
        )
        self._office: Office | None = None
        app = admin_app(
            settings, paths, keys, self.standby, self._comparisons,
            lambda: replace(self.standby.reading(), processes=processes_reading(processes)),
        )  # fmt: skip
        self.reception = Reception(app, lambda: self.candidate.tenure is not None)

    async def run(self) -> None:
        """Stand by, and act whenever the lease is ours, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for job in (self.bridge.run(), self.candidate.run(), self._keep_up()):
                tasks.create_task(job)
            while True:
                await self._act(await self.candidate.until_acting())

    def reload(self) -> None:
        """Look at the rules file at once, where it counts."""
        if self._office is not None:
            self._office.controller.read_rules()

    async def close(self) -> None:
        """Let the workers go on alone, and another host act."""
        await self.candidate.release()
        await self.bridge.close()
        for each in (self._lease, self._store, self._comparisons):
            await each.close()

    def _report(self) -> Report:
        problem, kill_file = self._rules_file.problem, self._paths.kill_file
        told = [] if problem is None else [str(problem)]
        if kill_file.is_on():
            told.append(f"everything goes to legacy here, by the kill file: {kill_file.words()}")
        return Report(
            name=self._settings.host,
            place=self._id,
            url=self._url,
            bus=self.bridge.has_redis,
            version=self.bridge.version,
            problem="; ".join(told),
            token=self.bridge.token,
            keys=self._keys.fingerprint,
        )

    async def _keep_up(self) -> None:
        """Take from the store what Redis did not bring, and keep both files as they should be."""
        while True:
            await asyncio.sleep(BEAT)
            try:
                self.bridge.mend()
                self.standby.follow_files()
                view = self.candidate.view
                newer = view is not None and view.version > self.bridge.version
                if newer and (record := await self._store.latest()) is not None:
                    self.bridge.adopt(record)
            except StoreError as error:
                log.debug("the store has a newer version, but: %s", error)
            except Exception:
                log.exception("what is kept beside the routing could not be looked at")

    # Acting

    async def _act(self, tenure: Tenure) -> None:
        """Be the controller until the lease is lost."""
        name, token = self._settings.host, tenure.token
        office = self._office = self._new_office(token)
        try:
            await office.open()
        except (CutoverError, StoreError) as error:
            log.error("%s cannot take over: %s", name, error)  # noqa: TRY400 - the text is the whole story
            await self._let_go(office)
            await self.candidate.release()
            await asyncio.sleep(AGAIN)
            return
        log.warning("%s acts from now on, under token %d", name, token)
        running = asyncio.create_task(office.controller.run())
        lost = asyncio.create_task(self.candidate.until_lost(token))
        try:
            async with self.reception.open_for(office.app()):
                await asyncio.wait([running, lost], return_when=asyncio.FIRST_COMPLETED)
        finally:
            ours = self._holds(token)
            for task in (running, lost):
                task.cancel()
            await asyncio.gather(running, lost, return_exceptions=True)
            if ours:
                await office.controller.close()
                await office.close()
            else:
                await self._let_go(office)
            self._office = None
        log.warning("%s acts no more; token %d is over", name, token)

    def _holds(self, token: int) -> bool:
        tenure = self.candidate.tenure
        return tenure is not None and tenure.token == token

    async def _let_go(self, office: Office) -> None:
        """Leave everything as it is: what we would write is refused, or cannot be sent."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ABANDON):
                await office.controller.abandon()
                await office.close()

    def _new_office(self, token: int) -> Office:
        candidate, place = self.candidate, self._place
        fence = Fence(token, self._settings.host, candidate.lose)
        store = SqlStore(self._settings.store, Anchor(self._paths.journal_head), fence)
        publisher = HostsPublisher(
            lambda on_message, on_state: RedisBus(
                place, token, on_message, on_state, candidate.lose
            ),
            self.bridge.known,
        )
        return Office(
            self._settings, self._paths, self._keys, self._processes, self._rules_file, store,
            publisher, self._clock, candidate.hosts, lambda: self._holds(token),
        )  # fmt: skip
