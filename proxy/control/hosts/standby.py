"""What a host that does not act answers: what is in force, and who is to be asked for changes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, NoReturn

from proxy.clock import Clock
from proxy.control.archive import Archive
from proxy.control.board import hosts_reading, worker_reading
from proxy.control.bus.base import Payload
from proxy.control.hosts.bridge import Bridge
from proxy.control.hosts.candidate import Candidate
from proxy.control.in_force import InForce
from proxy.control.journal import Journal
from proxy.control.loaded import LoadedRules
from proxy.control.loader import RulesFile
from proxy.control.overview import Overview
from proxy.control.recordings import Recordings
from proxy.control.state import RoutingState
from proxy.control.status import (
    Brief,
    HostsStatus,
    RouteFigures,
    RouteStatus,
    Status,
    VersionRecord,
)
from proxy.control.store.base import Store
from proxy.errors import ElsewhereError
from proxy.kill_file import KillFile
from proxy.observe.metrics import Reading
from proxy.recording import RecordingFile
from proxy.routing.schema import rules_from_plain
from proxy.snapshot import Snapshot

log = logging.getLogger(__name__)


class _Nobody:
    """Workers have been told already, by the bridge."""

    def publish(self, snapshot: Snapshot, record: VersionRecord) -> None:
        """Tell nobody."""


class Standby(Archive):
    """Follows what is in force, and keeps this host's rules file the same. Changes nothing else.

    Of the traffic it measures nothing: that is known where the controller acts.
    """

    def __init__(
        self,
        bridge: Bridge,
        candidate: Candidate,
        store: Store,
        rules_file: RulesFile,
        clock: Clock,
        recording_file: RecordingFile,
        kill_file: KillFile | None = None,
    ) -> None:
        self.recordings = Recordings(recording_file, clock.wall, _log_recording)
        self._bridge = bridge
        self._candidate = candidate
        journal = Journal(store)
        super().__init__(journal, InForce(journal, _Nobody(), clock))
        self._rules_file = rules_file
        self._kill_file = kill_file
        self._clock = clock
        self._text: str | None = None
        self._overview = Overview(self._in_force, rules_file, self.recordings, kill_file, clock)

    def follow(self, record: VersionRecord, snapshot: Payload) -> None:
        """Take note of a version that is in force on this host."""
        before = self._in_force.state.loaded if self._in_force.started else None
        document = snapshot["document"]
        if before is not None and before.document == document:
            loaded = before
        else:
            loaded = LoadedRules(record.text, document, rules_from_plain(document))
        self._in_force.enter(RoutingState(record, loaded))
        self.follow_files()
        self._in_force.tell()

    def follow_files(self) -> None:
        """Bring the rules file up to date, unless it was edited here; the acting host does not."""
        self.recordings.follow()
        if self._candidate.tenure is None and self._in_force.started:
            text = self._in_force.state.record.text
            self._rules_file.follow(text, self._text)
        if self._in_force.started:
            self._text = self._in_force.state.record.text

    # What can be read

    def figures(self) -> Iterable[RouteFigures]:
        """Nothing, as nothing is measured here."""
        return ()

    def status(self) -> Status:
        """Everything as far as it is known here: what is in force, and nothing of the traffic."""
        return self._told(None)

    def _told(self, known: tuple[RouteStatus, ...] | None) -> Status:
        hosts = self._hosts()
        found = self._overview.status(
            self._bridge.workers,
            self._candidate.problem,
            hosts,
            killed=self._killed,
            routes=known,
        )
        told = _unmeasured(hosts)
        routes = tuple(_without_figures(route, told) for route in found.routes)
        return replace(found, routes=routes, measured=False)

    async def survey(self, *, plans: bool = True) -> Status:
        """Give the same, worked out in parts between which decisions are taken."""
        return self._told(await self._overview.prepare(killed=self._killed, plans=plans))

    def glance(self, *route_ids: str) -> Status:
        """Give the same with these routes only."""
        return self._told(self._overview.some(route_ids, killed=self._killed))

    def brief(self) -> Brief:
        """What most requests need to know, without a look at any route."""
        return self._overview.brief(killed=self._killed)

    def route(self, route_id: str) -> RouteStatus | None:
        """One route as far as it is known here, or None."""
        found = self._overview.route(route_id, killed=self._killed)
        return None if found is None else _without_figures(found, _unmeasured(self._hosts()))

    @property
    def _killed(self) -> bool:
        return self._kill_file is not None and self._kill_file.is_on()

    def reading(self) -> Reading:
        """Everything that metrics tell of this host."""
        status = self.status()
        workers = self._bridge.workers
        return Reading(
            version=status.version,
            kill_switch=status.kill_switch,
            rules_refused=status.rules_problem is not None,
            store_failed=status.store_problem is not None,
            captures_sent=0,
            routes=(),
            retiring=status.retiring,
            workers=tuple(map(worker_reading, status.workers)),
            pools=workers.pools(),
            instances=workers.instances(),
            breakers=workers.breakers(),
            certificates=workers.certificates(),
            hosts=hosts_reading(status.hosts),
        )

    async def version(self, number: int, /) -> VersionRecord:
        """One version; the one in force is known without the store. Raises NotFoundError."""
        if self._in_force.started and (now := self._in_force.state.record).number == number:
            return now
        return await super().version(number)

    def end(self) -> None:
        """End every `changed`."""
        self._in_force.end()

    # What cannot be changed

    async def _elsewhere(self, *_: Any, **__: Any) -> NoReturn:
        """Name the host that acts."""
        raise _elsewhere(self._hosts(), taking_over=self._candidate.tenure is not None)

    def _hosts(self) -> HostsStatus:
        """Tell of all hosts; this one does not act before its controller answers."""
        told = self._candidate.hosts()
        return replace(told, acting=None) if told.acting == told.own else told

    set_weight = add_ignore_rules = add_compare_entry = import_rules = revert = _elsewhere
    rollback = resume = advance = hold = approve = pin = unpin = _elsewhere
    resume_writes = deployed = set_kill_switch = note_aside = _elsewhere


def _unmeasured(hosts: HostsStatus) -> str:
    """Say where traffic is measured, which is not here."""
    where = "where a host acts" if hosts.acting is None else f"by {hosts.acting}: {hosts.url}"
    return f"{hosts.own} stands by and measures nothing; all traffic is measured {where}"


def _without_figures(route: RouteStatus, told: str) -> RouteStatus:
    """Leave out what would look as if no traffic came, and no evidence."""
    progress = route.progress
    if progress is not None:
        progress = replace(progress, waits=(), power=None)
    return replace(route, verdict_reason=told, progress=progress)


def _elsewhere(hosts: HostsStatus, *, taking_over: bool) -> ElsewhereError:
    """Say why a change is not made on this host, and where it is."""
    if taking_over:
        return ElsewhereError(f"{hosts.own} is taking over; repeat it in a moment", None, None)
    if hosts.acting is None:
        return ElsewhereError(
            f"{hosts.own} does not act, and no host is known to act just now: nothing can be"
            " changed. To send everything on a host to legacy, make the kill file there",
            None,
            None,
        )
    return ElsewhereError(
        f"{hosts.own} stands by; {hosts.acting} acts. Make the change there: {hosts.url}",
        hosts.acting,
        hosts.url,
    )


def _log_recording(action: str, author: str, reason: str, evidence: dict[str, Any]) -> None:
    """Note a recording on this host, which has no journal to write while it stands by."""
    log.info("%s by %s: %s %s", action, author, reason, evidence)
