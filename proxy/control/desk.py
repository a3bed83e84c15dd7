"""What operators do and read: by the rules file, by the API, from the console.

Every method that changes something returns when the change is in force, and written down if the
store allows. Weights are in hundredths of a percent.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from proxy.clock import Clock
from proxy.control.archive import Archive
from proxy.control.board import route_figures
from proxy.control.chain import Link
from proxy.control.edit import with_weight
from proxy.control.edit_compare import with_entry
from proxy.control.edit_ignore import with_ignore_rules
from proxy.control.in_force import InForce
from proxy.control.journal import Journal
from proxy.control.loaded import LoadedRules
from proxy.control.loader import RulesFile
from proxy.control.overview import Overview
from proxy.control.publisher import Publishing
from proxy.control.recordings import Recordings
from proxy.control.state import Because, RoutingState, held_by_rollback
from proxy.control.status import (
    Brief,
    DecisionRecord,
    HostsStatus,
    Rollback,
    RouteFigures,
    RouteStatus,
    Status,
    VersionRecord,
)
from proxy.control.store.base import Store
from proxy.control.workers import Workers
from proxy.errors import ConflictError, NotFoundError, RefusedError, SettingsError
from proxy.kill_file import KillFile
from proxy.recording import RecordingFile
from proxy.rollout.phase import Cause, may_move
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.rules import WEIGHT_MAX, RouteRules
from proxy.routing.schema import load_rules

Hosts = Callable[[], HostsStatus]
"""Tells of all hosts, where there are many."""

FROM_FILE: Final = "file"
"""Author of changes that came by an edit of the rules file."""

log = logging.getLogger(__name__)


class Desk(Archive):
    """The operators' side of the controller.

    Changes raise ConflictError, NotFoundError or RefusedError.
    """

    def __init__(
        self,
        rules_file: RulesFile,
        store: Store,
        publisher: Publishing,
        clock: Clock,
        recording_file: RecordingFile,
        kill_file: KillFile | None = None,
        hosts: Hosts | None = None,
    ) -> None:
        self._hosts = hosts
        self._rules_file = rules_file
        self._kill_file = kill_file
        self._killed = False
        journal = Journal(store, binding=hosts is not None, on_written=publisher.written)
        super().__init__(journal, InForce(journal, publisher, clock))
        self._publisher = publisher
        self._clock = clock
        self.recordings = Recordings(recording_file, clock.wall, self._note_recording)
        self._workers = Workers()
        self._overview = Overview(self._in_force, rules_file, self.recordings, kill_file, clock)

    # The file

    def read_rules(self) -> None:
        """Take an edit of the rules file; what is refused leaves the last good rules in force."""
        known = self._rules_file.problem
        loaded = self._rules_file.poll()
        problem = self._rules_file.problem
        if problem is not None and str(problem) != str(known):
            log.error("the last good rules stay in force: %s", problem)
            self._in_force.tell()
        if problem is None and known is not None:
            log.info("the rules file is in order again")
            self._in_force.tell()
        if loaded is not None and loaded.text != self._now.record.text:
            self.take_file(loaded, "the file was edited")

    def take_file(self, loaded: LoadedRules, reason: str) -> None:
        """Put an edited file in force."""
        held = held_by_rollback(self._now, loaded)
        if held:
            names = ", ".join(held)
            reason = f"{reason}; {names} stays rolled back until it is resumed"
            log.warning("the rules file gives another weight to what is rolled back: %s", names)
        evidence = {"still_rolled_back": list(held)} if held else {}
        because = self._because(FROM_FILE, reason, evidence)
        self._in_force.commit(self._now.with_rules(loaded, because), "load", None, because)

    def follow_kill_file(self) -> None:
        """Note that the kill file was made or removed; the data plane follows it by itself."""
        if self._kill_file is None or self._kill_file.is_on() is self._killed:
            return
        self._killed = not self._killed
        reason = self._kill_file.words() if self._killed else "the kill file was removed"
        evidence = {"file": str(self._kill_file.path)}
        because = self._because(FROM_FILE, reason, evidence)
        self._in_force.note("kill" if self._killed else "unkill", None, because, None)

    def _note_recording(
        self, action: str, author: str, reason: str, evidence: dict[str, Any]
    ) -> None:
        self._in_force.note(action, None, self._because(author, reason, evidence), None)

    async def note_aside(
        self, action: str, *, author: str, reason: str, evidence: Mapping[str, Any]
    ) -> None:
        """Put on record what does not change the routing."""
        self._in_force.note(action, None, self._because(author, reason, dict(evidence)), None)

    # Changes

    async def set_weight(
        self,
        route_id: str,
        weight: int,
        *,
        author: str,
        reason: str,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Give a route another weight (hundredths of a percent), in the rules file too."""
        self.read_rules()
        self._expect(expected_version)
        route = self._route(route_id)
        self._allow(route, Cause.RULES)
        if weight == route.weight:
            return await self._written()
        loaded = await self._write_weight(route_id, weight)
        because = self._because(author, reason, {"previous": route.weight, "weight": weight})
        self._in_force.commit(
            self._now.with_rules(loaded, because), "set_weight", route_id, because
        )
        return await self._written()

    async def add_ignore_rules(
        self,
        route_id: str,
        wanted: Sequence[IgnoreRule],
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Add ignore rules to a route, in the rules file too; those that it has are left out."""
        self.read_rules()
        self._expect(expected_version)
        present = self._route(route_id).compare.ignore
        added = [rule for rule in wanted if not any(_rules_out(each, rule) for each in present)]
        if not added:
            return await self._written()
        loaded = await self._edit(
            lambda rules, file: with_ignore_rules(rules, route_id, added, file)
        )
        because = self._because(author, reason, dict(evidence))
        self._in_force.commit(self._now.with_rules(loaded, because), "ignore", route_id, because)
        return await self._written()

    async def add_compare_entry(
        self,
        route_id: str,
        section: str,
        entry: Mapping[str, Any],
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Add an entry to a section of a route's `compare`, in the rules file too."""
        self.read_rules()
        self._expect(expected_version)
        self._route(route_id)
        loaded = await self._edit(
            lambda rules, file: with_entry(rules, route_id, section, entry, file)
        )
        because = self._because(author, reason, dict(evidence))
        self._in_force.commit(self._now.with_rules(loaded, because), "compare", route_id, because)
        return await self._written()

    async def import_rules(
        self, text: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Put another document in force, in the rules file too; raises RulesError.

        What stands beside the document stays: a rollback is ended by `resume` and nothing else.
        """
        return await self._replace(text, "import", author, reason, {}, expected_version)

    async def revert(
        self, number: int, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Put the document of an earlier version in force again, under the terms of an import."""
        record = await self.version(number)
        evidence = {"reverted_to": number}
        return await self._replace(
            record.text, "revert", author, reason, evidence, expected_version
        )

    async def _replace(
        self,
        text: str,
        action: str,
        author: str,
        reason: str,
        evidence: dict[str, Any],
        expected_version: int | None,
    ) -> VersionRecord:
        # Parsed beside the loop, for it may be long; from then on nobody can come in between.
        document, rules = await asyncio.to_thread(load_rules, text, "the document")
        self.read_rules()
        self._expect(expected_version)
        if text == self._now.record.text:
            raise RefusedError("this document is in force already; nothing is to be changed")
        self._check_file()
        loaded = self._rules_file.replace(LoadedRules(text, document, rules))
        held = held_by_rollback(self._now, loaded)
        if held:
            evidence = {**evidence, "still_rolled_back": list(held)}
        because = self._because(author, reason, evidence)
        self._in_force.commit(self._now.with_rules(loaded, because), action, None, because)
        return await self._written()

    async def rollback(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take a route back to legacy until it is resumed."""
        self._expect(expected_version)
        route = self._route(route_id)
        self._allow(route, Cause.ROLLBACK)
        because = self._because(author, reason, {"weight": route.weight})
        self._in_force.live[route_id].totals.rollbacks["operator"] += 1
        state = self._now.with_rollback(route_id, because, cooldown=None)
        self._in_force.commit(state, "rollback", route_id, because)
        return await self._written()

    async def resume(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        weight: int | None = None,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Put a rolled back route in force again, at its weight in the rules or at another.

        A route that is in force with its plan on hold goes on with that plan, at its own weight.
        """
        self.read_rules()
        self._expect(expected_version)
        route = self._route(route_id)
        if self._is_on_hold(route_id):
            if weight is not None:
                raise RefusedError(
                    f"`{route_id}` is not rolled back, its plan is on hold; set its weight if that"
                    " is what you mean, and resume without one"
                )
            because = self._because(author, reason, {"weight": route.weight})
            state = self._now.with_release(route_id, because)
            self._in_force.commit(state, "release", route_id, because)
            return await self._written()
        self._allow(route, Cause.RESUME)
        if not force:
            self._cooled_down(route_id)
        loaded = self._now.loaded
        if weight is not None and weight != route.weight:
            loaded = await self._write_weight(route_id, weight)
        after = route.weight if weight is None else weight
        because = self._because(author, reason, {"weight": after, "forced": force})
        self._in_force.commit(
            self._now.with_resume(route_id, loaded, because), "resume", route_id, because
        )
        return await self._written()

    async def resume_writes(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Mirror the writes of a route again, beginning with one that must be acknowledged."""
        self._expect(expected_version)
        self._route(route_id)
        if self._now.write_halt_of(route_id) is None:
            raise RefusedError(
                f"the writes of `{route_id}` are not halted; nothing is to be resumed"
            )
        because = self._because(author, reason)
        state = self._now.with_writes_resumed(route_id, because)
        self._in_force.commit(state, "resume_writes", route_id, because)
        return await self._written()

    async def deployed(
        self, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take note of another release of modern: evidence about the last one counts no more.

        A version of its own, so that what workers still tell of the release before is known by it.
        """
        self._expect(expected_version)
        because = self._because(author, reason)
        self._in_force.commit(self._now.with_deployment(because), "deployed", None, because)
        return await self._written()

    async def set_kill_switch(self, on: bool, *, author: str, reason: str) -> VersionRecord:
        """Send everything to legacy, or let the rules decide again, the kill file included."""
        because = self._because(author, reason)
        if not on and self._remove_kill_file() and not self._now.record.kill_switch:
            self._in_force.note("unkill", None, because, None)
        if on == self._now.record.kill_switch:
            return await self._written()
        state = self._now.with_kill_switch(because, on=on)
        self._in_force.commit(state, "kill" if on else "unkill", None, because)
        return await self._written()

    def _remove_kill_file(self) -> bool:
        """Give whether it was there; refused when it stays, for then everything stays on legacy."""
        if self._kill_file is None:
            return False
        try:
            removed = self._kill_file.turn_off()
        except SettingsError as error:
            raise RefusedError(f"the kill file cannot be removed: {error}") from error
        self._killed = False
        return removed

    def _expect(self, version: int | None) -> None:
        current = self._now.record
        if version is not None and version != current.number:
            raise ConflictError(
                f"the routing is at version {current.number} by now, not {version}:"
                f" {current.author} changed it ({current.reason}); read it again and repeat"
            )

    def _route(self, route_id: str) -> RouteRules:
        route = self._now.loaded.rules.route(route_id)
        if route is None:
            raise NotFoundError(f"there is no route `{route_id}` in the rules")
        return route

    def _allow(self, route: RouteRules, cause: Cause) -> None:
        """Refuse a move that the table of phases does not have."""
        if may_move(self._now.phase_of(route), cause):
            return
        rollback = self._now.rollback_of(route.id)
        if rollback is None:
            raise RefusedError(
                f"`{route.id}` is neither rolled back nor on hold; there is nothing to resume"
            )
        hint = "nothing is left to take back" if cause is Cause.ROLLBACK else "resume it first"
        raise RefusedError(f"`{route.id}` {_told(rollback)}; {hint}")

    def _cooled_down(self, route_id: str) -> None:
        """Refuse to resume before the cool-down has ended."""
        rollback, live = self._now.record.rollbacks[route_id], self._in_force.live[route_id]
        live.judge(self._clock.monotonic(), self._in_force.position(route_id))
        left = rollback.cooldown - live.cooled
        if left > 0:
            until = _instant(self._clock.wall() + left)
            raise RefusedError(
                f"`{route_id}` {_told(rollback)}; its cool-down lasts another"
                f" {math.ceil(left / 60)} min, until {until}; force it to resume before"
            )

    def _is_on_hold(self, route_id: str) -> bool:
        """Whether a route is in force, and its plan alone is not."""
        rolled_back = self._now.rollback_of(route_id) is not None
        return not rolled_back and self._now.progress_of(route_id).held is not None

    async def _write_weight(self, route_id: str, weight: int) -> LoadedRules:
        """Change the weight in the file, as `_edit` does."""
        if not 0 <= weight <= WEIGHT_MAX:
            raise RefusedError("a weight lies between 0% and 100%")
        return await self._edit(lambda rules, file: with_weight(rules, route_id, weight, file))

    async def _edit(self, edit: Callable[[LoadedRules, str], LoadedRules]) -> LoadedRules:
        """Change the document, and write it into the file; to be put in force without a pause.

        It is worked out beside the loop: with thousands of routes that takes seconds, in which a
        route may have to be taken back. Whatever has changed the routing meanwhile came first: what
        the caller has looked at is no longer so, and it raises ConflictError. Or RefusedError.
        """
        self._check_file()
        before = self._now
        edited = await asyncio.to_thread(edit, before.loaded, str(self._rules_file.path))
        if (now := self._now) is not before:
            raise ConflictError(
                f"{now.record.author} changed the routing meanwhile ({now.record.reason}); it is at"
                f" version {now.record.number}: read it again and repeat"
            )
        self._check_file()
        return self._rules_file.replace(edited)

    def _check_file(self) -> None:
        """Refuse to change a file that is not the one in force: somebody's edit would be lost."""
        if (problem := self._rules_file.problem) is not None:
            raise RefusedError(f"the rules file has to be mended first: {problem}")
        if not self._rules_file.is_current():
            raise ConflictError("the rules file is being edited just now; repeat the change")

    async def _written(self) -> VersionRecord:
        """Give the version in force, after an attempt to write it down."""
        record = self._now.record
        await self._journal.confirm()
        return record

    # Reading

    def status(self) -> Status:
        """Everything as it is now; what has not changed is not worked out again."""
        return self._told(None)

    def _told(self, routes: tuple[RouteStatus, ...] | None) -> Status:
        troubles = [p for p in (self._journal.problem, self._publisher.problem) if p is not None]
        hosts = None if self._hosts is None else self._hosts()
        return self._overview.status(
            self._workers, "; ".join(troubles) or None, hosts, killed=self._killed, routes=routes
        )

    def figures(self) -> Iterator[RouteFigures]:
        """What is charted of each route, worked out one by one as they are asked for."""
        for live in tuple(self._in_force.live.values()):
            yield route_figures(live, self._clock.monotonic())

    async def survey(self, *, plans: bool = True) -> Status:
        """Give the same, worked out in parts between which decisions are taken."""
        return self._told(await self._overview.prepare(killed=self._killed, plans=plans))

    def glance(self, *route_ids: str) -> Status:
        """Give the same with these routes only: the others cost nothing."""
        return self._told(self._overview.some(route_ids, killed=self._killed))

    def brief(self) -> Brief:
        """What most requests need to know, without a look at any route."""
        return self._overview.brief(killed=self._killed)

    def route(self, route_id: str) -> RouteStatus | None:
        """One route as it is now, or None."""
        return self._overview.route(route_id, killed=self._killed)

    async def entry(self, number: int, /) -> Link | None:
        """The entry of the journal that holds a new decision, as `Journal.entry` gives it."""
        return await self._journal.entry(number)

    def follow_decisions(self, listener: Callable[[DecisionRecord], None]) -> None:
        """Have every decision told to a listener, which must neither wait nor fail."""
        self._in_force.follow_decisions(listener)

    @property
    def troubles(self) -> tuple[str | None, str | None]:
        """Why the rules file is not in force, and why the store does not hold everything."""
        problem = self._rules_file.problem
        return None if problem is None else str(problem), self._journal.problem

    @property
    def _now(self) -> RoutingState:
        return self._in_force.state

    def _because(self, author: str, reason: str, evidence: dict[str, Any] | None = None) -> Because:
        return Because(author, reason, self._clock.wall(), evidence or {})


def _told(rollback: Rollback) -> str:
    return f"was rolled back at {_instant(rollback.at)} ({rollback.reason})"


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _rules_out(present: IgnoreRule, wanted: IgnoreRule) -> bool:
    """Whether a rule that is there already does what is wanted, at least as long."""
    if present.path != wanted.path:
        return False
    return present.until is None or (wanted.until is not None and present.until >= wanted.until)
