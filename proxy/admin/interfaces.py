"""What the admin API and the console need of the control plane and of the comparisons."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

from proxy.control.interval import Interval
from proxy.control.recordings import Recordings
from proxy.control.status import (
    Brief,
    DecisionRecord,
    RouteFigures,
    RouteStatus,
    Status,
    VersionRecord,
)
from proxy.observe.metrics import Reading
from proxy.routing.compare_rules import IgnoreRule
from proxy.routing.rules import Pin, Rules
from shadow_compare.report import (
    EVERY_GROUP,
    Coverage,
    Cursor,
    Filters,
    Occurrences,
    Proposal,
    SignatureDetail,
    SignatureSummary,
    State,
)


class Controller(Protocol):
    """The acting controller. Weights are in hundredths of a percent.

    Changes raise ConflictError, NotFoundError, RefusedError or RulesError.
    """

    @property
    def recordings(self) -> Recordings:
        """What is recorded of the traffic on this host."""
        ...

    def status(self) -> Status:
        """Everything as it is now."""
        ...

    async def survey(self, *, plans: bool = True) -> Status:
        """Give the same, worked out in parts between which decisions are taken.

        Without `plans` nothing is said of where routes stand on theirs, which is much of the work.
        """
        ...

    def glance(self, *route_ids: str) -> Status:
        """Give the same with these routes only, which costs nothing for the others."""
        ...

    def brief(self) -> Brief:
        """What most requests need to know, without a look at any route."""
        ...

    def route(self, route_id: str) -> RouteStatus | None:
        """One route as it is now, or None."""
        ...

    def figures(self) -> Iterable[RouteFigures]:
        """What is charted of each route, worked out one by one as they are asked for."""
        ...

    def rules(self) -> Rules | None:
        """The rules in force, if they are at hand: to read those of thousands takes a second."""
        ...

    def reading(self) -> Reading:
        """Everything that metrics tell."""
        ...

    async def set_weight(
        self,
        route_id: str,
        weight: int,
        *,
        author: str,
        reason: str,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Give a route another weight, in the rules file too."""
        ...

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
        """Add ignore rules to a route, in the rules file too."""
        ...

    async def add_compare_entry(
        self,
        route_id: str,
        section: str,
        entry: Mapping[str, Any],
        /,
        *,
        author: str,
        reason: str,
        evidence: Mapping[str, Any],
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Add an entry to a section of a route's `compare`, in the rules file too."""
        ...

    async def import_rules(
        self, text: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Put another document in force, in the rules file too; raises RulesError."""
        ...

    async def revert(
        self, number: int, /, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Put the document of an earlier version in force again."""
        ...

    async def rollback(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take a route back to legacy until it is resumed."""
        ...

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
        """Put a rolled back route in force again; before its cool-down ends only with `force`."""
        ...

    async def advance(
        self,
        route_id: str,
        *,
        author: str,
        reason: str,
        force: bool = False,
        expected_version: int | None = None,
    ) -> VersionRecord:
        """Take the next step of a route's plan; before its gate is satisfied only with `force`."""
        ...

    async def hold(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Keep a route's plan where it is until resumed."""
        ...

    async def approve(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Agree that a route's plan leaves the step it stands on."""
        ...

    async def pin(
        self, pin: Pin, /, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Hold one identity on one side, in the rules file too."""
        ...

    async def unpin(
        self, identity: str, /, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Let an identity go where its bucket sends it, in the rules file too."""
        ...

    async def resume_writes(
        self, route_id: str, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Mirror the writes of a route again after they were halted."""
        ...

    async def deployed(
        self, *, author: str, reason: str, expected_version: int | None = None
    ) -> VersionRecord:
        """Take note of another release of modern: evidence about the last one counts no more."""
        ...

    async def set_kill_switch(self, on: bool, *, author: str, reason: str) -> VersionRecord:
        """Send everything to legacy, or let the rules decide again."""
        ...

    async def note_aside(
        self, action: str, /, *, author: str, reason: str, evidence: Mapping[str, Any]
    ) -> None:
        """Put on record what does not change the routing: an account, a replay."""
        ...

    async def versions(self, limit: int = 50, before: int | None = None) -> Sequence[VersionRecord]:
        """List versions, newest first."""
        ...

    async def version(self, number: int, /) -> VersionRecord:
        """One version; raises NotFoundError."""
        ...

    async def decisions(
        self, limit: int = 50, route: str | None = None, before: int | None = None
    ) -> Sequence[DecisionRecord]:
        """List decisions, newest first."""
        ...

    async def decision(self, number: int, /) -> DecisionRecord:
        """One decision; raises NotFoundError."""
        ...

    async def outcomes(
        self,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> Sequence[tuple[int, Interval]]:
        """List recorded outcomes by the minute, with their numbers."""
        ...

    async def rollups(
        self,
        span: int,
        since: float,
        until: float,
        route: str | None = None,
        limit: int = 500,
        after: int = 0,
    ) -> Sequence[tuple[int, Interval]]:
        """List outcomes added up to intervals of `span` seconds, with their numbers."""
        ...

    def changed(self) -> AsyncIterator[int]:
        """Yield the version whenever one is published or a decision is taken."""
        ...


class Report(Protocol):
    """The read side of the stored comparisons, and what people say of them."""

    async def coverage(
        self, route: str | None = None, since: float | None = None
    ) -> Sequence[Coverage]:
        """How many pairs were compared, per route, and why some were not."""
        ...

    async def signatures(
        self,
        filters: Filters = EVERY_GROUP,
        *,
        limit: int = 50,
        offset: int = 0,
        after: Cursor | None = None,
    ) -> Sequence[SignatureSummary]:
        """List differences grouped by signature."""
        ...

    async def signature(self, signature_id: str, /) -> SignatureDetail | None:
        """One signature with its samples, or None."""
        ...

    async def occurrences(
        self, names: Collection[str], since: float, /
    ) -> Mapping[str, Sequence[Occurrences]]:
        """The hours in which each of some groups was seen since a Unix time."""
        ...

    async def proposals(
        self, route: str | None = None, *, limit: int = 50, offset: int = 0
    ) -> Sequence[Proposal]:
        """Rules that what was seen speaks for, the surest first."""
        ...

    async def proposal(self, proposal_id: str, /) -> Proposal | None:
        """One of them, or None."""
        ...

    async def mark(
        self,
        signature_id: str,
        state: State,
        /,
        *,
        author: str,
        reason: str,
        at: float,
        version: int,
    ) -> SignatureSummary | None:
        """Say what was done about a signature, under which version of the rules; None: no such."""
        ...
