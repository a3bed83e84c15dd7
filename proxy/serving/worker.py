"""One data plane process: listeners, the plane, and the two lines to the rest of the product.

It needs nobody: without a controller it serves by the last snapshot, from memory or from the file
that the controller keeps; without shadow workers it drops captures and counts them.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from proxy.errors import RulesError
from proxy.garbage import settle
from proxy.kill_file import KillFile
from proxy.observe.access_log import AccessLog
from proxy.observe.exporter import Exporter
from proxy.recording import RecordingFile
from proxy.serving.door import Door, door
from proxy.serving.downstream import Downstream
from proxy.serving.drain import Departure, Order, Patience
from proxy.serving.listener import BACKLOG, Listener
from proxy.serving.mirror import Mirror
from proxy.serving.plane import Plane
from proxy.serving.tallies import Taken
from proxy.serving.tls import CertificateStore
from proxy.snapshot import Snapshot
from proxy.upstream.connect import TlsError
from proxy.upstream.probe import Probing

TICK: Final = 0.1
FLUSH: Final = 0.05
FLUSH_BAD: Final = 0.002
"""Seconds between looks at deadlines, between batches of counts, and after a failure.

Not every batch has every route, see `tallies`.
"""

FIRST_SNAPSHOT: Final = 15.0
"""Seconds to wait for routing rules before clients are answered that there are none."""

log = logging.getLogger(__name__)


class Uplink(Protocol):
    """The line to the controller."""

    async def run(self) -> None:
        """Keep it up, for ever."""
        ...

    def send(self, kind: str, payload: dict[str, Any]) -> bool:
        """Send without waiting; False when it was dropped."""
        ...


class Signs(Protocol):
    """What the supervisor sees of this process without asking."""

    def beat(self) -> None:
        """Say that it is alive."""
        ...

    def is_ready(self) -> None:
        """Say that it accepts connections."""
        ...


class Worker:
    """Runs until told to go; see `drain` for how it goes.

    `on_reload` has what else is to be read anew at SIGHUP, such as certificates.
    """

    def __init__(
        self,
        plane: Plane,
        mirror: Mirror,
        access_log: AccessLog | None,
        listeners: Sequence[Listener],
        snapshot_file: Path,
        patience: Patience,
        kill_file: KillFile | None = None,
        signs: Signs | None = None,
        certificates: CertificateStore | None = None,
        recording_file: RecordingFile | None = None,
        exporter: Exporter | None = None,
    ) -> None:
        self.on_reload: list[Callable[[], None]] = []
        self._plane = plane
        self._mirror = mirror
        self._access_log = access_log
        self._listeners = listeners
        self._certificates = certificates
        self._snapshot_file = snapshot_file
        self._kill_file = kill_file
        self._recording_file = recording_file
        self._exporter = plane.tracer = exporter
        self._signs = signs
        self._live: set[Downstream] = set()
        self._departure = Departure(plane, self._live, patience)
        self._uplink: Uplink | None = None
        self._flush_soon = False
        self._broken: BaseException | None = None
        self._probing = Probing(plane.now)
        self.on_reload += [self._reread, partial(self._renew_certificates, force=True)]
        self._ready = asyncio.Event()

    async def run(
        self, make_uplink: Callable[[Callable[[str, dict[str, Any]], None]], Uplink]
    ) -> None:
        """Serve until a signal says otherwise."""
        loop = asyncio.get_running_loop()
        for number, act in (
            (signal.SIGTERM, self.stop),
            (signal.SIGINT, self.stop),
            (signal.SIGUSR2, self.retire),
            (signal.SIGHUP, self.reload),
        ):
            loop.add_signal_handler(number, act)
        await self.serve(make_uplink)

    def stop(self) -> None:
        """Go for good; said twice: without the grace time."""
        self._departure.tell(Order.STOP)

    def retire(self) -> None:
        """Make room for a successor who serves from the same sockets."""
        self._departure.tell(Order.RETIRE)

    def reload(self) -> None:
        """Read anew what is read once; touches no connection."""
        if self._access_log is not None:
            self._access_log.reopen()
        for act in self.on_reload:
            try:
                act()
            except Exception:
                log.exception("a part of the worker could not be reloaded; it stays as it was")

    async def serve(
        self, make_uplink: Callable[[Callable[[str, dict[str, Any]], None]], Uplink]
    ) -> None:
        """Serve until `stop` or `retire`."""
        loop = asyncio.get_running_loop()
        for listener in self._listeners:
            # After an orderly end of the worker before us nobody listens, and rules may be a while.
            listener.sock.listen(BACKLOG)
        self._uplink = uplink = make_uplink(self.on_message)
        self._plane.on_bad = self._on_bad
        self._look_for_the_kill_file()
        self._look_for_a_recording()
        self._read_snapshot_file()
        background = [
            loop.create_task(job) for job in (uplink.run(), self._mirror.run(), self._tick())
        ]
        if self._exporter is not None:
            background.append(loop.create_task(self._exporter.run()))
        for task in background:
            task.add_done_callback(self._on_background_end)
        await self._first_snapshot()
        self._renew_certificates()  # the files may have changed since the supervisor read them
        doors = [
            door(each, self._plane, self._live, self._certificates) for each in self._listeners
        ]
        for each in doors:
            await each.open()
        if self._signs is not None:
            self._signs.is_ready()
        settle()
        await self._go(doors)
        self._probing.follow(())
        for task in background:
            task.cancel()
        await asyncio.gather(*background, return_exceptions=True)
        if self._exporter is not None:
            await self._exporter.close()
        self._tell(self._plane.tallies.take_all())
        if self._access_log is not None:
            await self._access_log.close()
        if self._broken is not None:
            raise RuntimeError("a part of the worker ended; it begins anew") from self._broken

    def _on_background_end(self, task: asyncio.Task[None]) -> None:
        """End the whole worker with its clock or its lines: it would serve unwatched."""
        if not task.cancelled() and task.exception() is not None:
            self._broken = task.exception()
            self._departure.tell(Order.HURRY)

    def on_message(self, kind: str, payload: dict[str, Any]) -> None:
        """Take what the controller sends."""
        if kind == "snapshot":
            self._apply(payload)
        elif kind == "slow_at":
            self._plane.limit_slowness(payload)

    async def _first_snapshot(self) -> None:
        """Wait for rules, but not for ever, and not when told to go."""
        loop = asyncio.get_running_loop()
        awaited = [loop.create_task(job) for job in (self._departure.ordered(), self._ready.wait())]
        await asyncio.wait(awaited, timeout=FIRST_SNAPSHOT, return_when=asyncio.FIRST_COMPLETED)
        for task in awaited:
            task.cancel()

    def _look_for_the_kill_file(self) -> None:
        if self._kill_file is not None and self._plane.kill(self._kill_file.is_on()):
            log.warning(
                "worker %d: the kill switch is %s by the file %s",
                self._plane.index,
                "on" if self._kill_file.is_on() else "off",
                self._kill_file.path,
            )

    def _look_for_a_recording(self) -> None:
        if self._recording_file is not None:
            self._plane.recording = self._recording_file.read()

    def _read_snapshot_file(self) -> None:
        try:
            payload = orjson.loads(self._snapshot_file.read_bytes())
        except (OSError, ValueError):
            return  # a first start: the controller will send one
        self._apply(payload)

    def _renew_certificates(self, *, force: bool = False) -> None:
        """Take up certificates whose files have changed; one worker tells of those that end."""
        store, plane = self._certificates, self._plane
        if store is None:
            return
        for renewal in store.renew(force):
            plane.note("tls_certificates_read", renewal)
        plane.certificates = store.ends()
        if plane.index == 0:
            store.warn_of_expiry(plane.wall())

    def _reread(self) -> None:
        """Take certificates of upstreams as they are now, and rules that were not taken before."""
        self._plane.reread()
        self._read_snapshot_file()
        self._probing.follow(self._plane.pools.values())

    def _apply(self, payload: dict[str, Any]) -> None:
        """Serve by a snapshot, unless it is older than the one in force."""
        table = self._plane.table
        try:
            snapshot = Snapshot.from_wire(payload, self._plane.snapshot)
        except (RulesError, KeyError, TypeError) as error:
            log.error("a snapshot was refused, the last one stays in force: %s", error)  # noqa: TRY400 - the text is the whole story
            return
        if table is not None and snapshot.version < table.version:
            return
        if table is None or snapshot.version > table.version:
            try:
                self._plane.apply(snapshot)
            except TlsError as error:
                log.error("version %d is not taken: %s", snapshot.version, error)  # noqa: TRY400 - as above
                return
            self._probing.follow(self._plane.pools.values())
        self._ready.set()
        if self._uplink is not None:
            self._uplink.send("ack", {"version": snapshot.version})

    async def _tick(self) -> None:
        """Look at deadlines, sweep idle connections, and send up what was counted."""
        plane, turns = self._plane, 0
        while True:
            await asyncio.sleep(FLUSH)
            turns += 1
            tallies = plane.tallies.take_next()
            if tallies or plane.has_news or turns % 20 == 0:
                self._tell(tallies)
            if turns % 2 == 0:
                self._look_for_the_kill_file()
                self._look_for_a_recording()
                if self._signs is not None:
                    self._signs.beat()
                self._look_at_deadlines(everybody=plane.draining or turns % 20 == 0)
            if turns % 5 == 0 and self._access_log is not None:
                self._access_log.flush()
            if turns % 20 == 0:
                for pool in plane.pools.values():
                    pool.sweep(plane.now())
                self._renew_certificates()

    def _look_at_deadlines(self, *, everybody: bool) -> None:
        """Look at connections with an exchange each time; at idle ones, which may be many, less.

        With 10,000 idle connections a look at everybody takes 2 ms, one at the busy 0.3 ms.
        """
        now = self._plane.now()
        for downstream in [each for each in self._live if everybody or each.exchange is not None]:
            downstream.on_tick(now)
        for orphan in tuple(self._plane.orphans):
            orphan.on_tick(now)

    def _on_bad(self) -> None:
        """Send a failure up at once, with those of the same moment."""
        if not self._flush_soon:
            self._flush_soon = True
            asyncio.get_running_loop().call_later(FLUSH_BAD, self._tell_failures)

    def _tell_failures(self) -> None:
        self._flush_soon = False
        if failed := self._plane.tallies.take_failed():
            self._tell(failed)

    def _tell(self, tallies: Taken) -> None:
        if self._uplink is not None:
            self._uplink.send("outcomes", self._plane.batch(tallies).to_wire())

    async def _go(self, doors: Sequence[Door]) -> None:
        """Wait for the order to go, and carry it out."""
        await self._departure.ordered()
        if self._departure.shares_the_door:
            # Our successor listens on these sockets: who waits at the door is let in there.
            await asyncio.gather(*(each.leave() for each in doors))
        else:
            await self._departure.grace()
            await asyncio.gather(*(each.close() for each in doors))
        await self._departure.drain()
        for pool in self._plane.pools.values():
            pool.close()
