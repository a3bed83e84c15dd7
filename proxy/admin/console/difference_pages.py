"""The pages about differences: what was compared, what differs, and what is proposed."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.bars import HOUR, bars
from proxy.admin.console.looking import ALL, PAGE, Looking, number
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, difference_address, proposal_address
from proxy.admin.deciding import Deciding
from proxy.admin.interfaces import Controller, Report
from proxy.admin.problems import ProblemError
from proxy.admin.standing import RulesInForce, standings
from proxy.control.status import Status
from shadow_compare.report import KINDS, Proposal, SignatureDetail, State
from shadow_compare.report.coverage import whole
from shadow_compare.report.covering import Covering, rule_path
from shadow_compare.report.samples import arrange

HOLDS_DAYS = 90
"""For how many days an ignore rule holds if nobody says otherwise: long enough to mend what it
hides, and no longer."""

PROPOSED = 10
"""Proposals beside the differences, the surest; adopting them brings up the next."""

HOURS_LISTED = 24
"""Hours of which the list shows when a group was seen."""
_WIDE = {"width": 672, "height": 56}

_UNREADABLE = "The comparisons cannot be read right now."
_NO_GROUP = "There is no group of differences “{}”; old ones are removed in time."
_NO_PROPOSAL = "There is no proposal “{}”; it may be a rule by now."

Found = TypeVar("Found")
Values = dict[str, object]
"""What a template is given."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of a form of this page: why it failed, which one it was, and what was typed."""

    code: int = 200
    problem: str = ""
    failed: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


NOT_SENT = Sent()


@dataclass(frozen=True, slots=True)
class _One:
    """The page of one thing: its template and address, and what is said when there is none."""

    template: str
    address: str
    absent: str


class DifferencePages:
    """Pages over the stored comparisons; `status` gives everything as it is now."""

    def __init__(
        self,
        controller: Controller,
        report: Report,
        renderer: Renderer,
        status: Callable[[], Status],
    ) -> None:
        self._report = report
        self._deciding = Deciding(controller, report)
        self._renderer = renderer
        self._status = status
        self._rules = RulesInForce(controller)

    async def differences(self, request: Request) -> Response:
        """Groups of differences, after what was compared at all."""
        return await self.differences_page(request)

    async def differences_page(self, request: Request, sent: Sent = NOT_SENT) -> Response:
        """Render the groups; after a decision about some that failed with those still chosen."""
        status, looking = self._status(), Looking.read(request.query_params)
        route, today = looking.filters.route, _day(status.at)
        found = await read(
            self._report.signatures(looking.filters, limit=PAGE + 1, after=looking.after)
        )
        shown = None if found is None else found[:PAGE]
        since = status.at - HOURS_LISTED * HOUR
        seen = await read(self._report.occurrences([each.id for each in shown or ()], since))
        coverage = await read(self._report.coverage(route=route))
        rules = await read(self._rules.get())
        proposals = await read(self._report.proposals(route, limit=PROPOSED + 1))
        return self._renderer.page(
            request,
            "differences.html",
            status,
            code=sent.code,
            here=looking.address if sent.problem else None,
            problem=sent.problem,
            typed=sent.typed,
            chosen=sent.typed.get("group", "").split("\n"),
            today=today.isoformat(),
            until=(today + timedelta(days=HOLDS_DAYS)).isoformat(),
            hours={
                each.id: bars((seen or {}).get(each.id, ()), status.at, hours=HOURS_LISTED)
                for each in shown or ()
            },
            looking=looking,
            kinds=KINDS,
            states=(*State, ALL),
            has_more=len(found or ()) > PAGE,
            signatures=shown,
            coverage=coverage,
            total=whole(coverage or ()),
            proposals=(proposals or ())[:PROPOSED],
            more_proposals=len(proposals or ()) > PROPOSED,
            rules=standings(rules, coverage or (), today, route) if rules else (),
        )

    async def difference(self, request: Request) -> Response:
        """One group: both answers side by side."""
        return await self.difference_page(request, request.path_params["signature"])

    async def difference_page(self, request: Request, name: str, sent: Sent = NOT_SENT) -> Response:
        """Render a group."""
        query = request.query_params
        chosen = tuple(filter(None, sent.typed.get("path", "").split("\n")))

        async def shown(found: SignatureDetail) -> Values:
            at = min(max(number(query.get("sample")) or 1, 1), len(found.samples))
            now = self._status().at
            return {
                "found": found.summary,
                "whole": query.get("whole") == "1",
                "samples": found.samples,
                "at": at,
                "view": arrange(found.samples[at - 1].to_plain(), whole=False) if at else None,
                "hours": bars(found.occurrences, now, hours=14 * 24, slot_hours=6, **_WIDE),
                "paths": dict.fromkeys(map(rule_path, found.summary.paths)),
                "covering": await self._covering(found, chosen or query.getlist("path")),
            }

        one = _One("difference.html", difference_address(name), _NO_GROUP.format(name))
        return await self._page(request, self._report.signature(name), one, shown, sent)

    async def acceptance(self, request: Request) -> Response:
        """What accepting a group would rule out: a piece of its page."""
        name, paths = request.path_params["signature"], request.query_params.getlist("path")
        found = await read(self._report.signature(name))
        covering = None if found is None else await self._covering(found, paths)
        return self._renderer.piece("_acceptance.html", covering=covering)

    async def _covering(self, found: SignatureDetail, paths: Sequence[str]) -> Covering | None:
        if found.summary.state != State.OPEN:
            return None
        try:
            return await self._deciding.covering_of(found, paths)
        except ProblemError:  # an address with a place that is none, or no store
            return None

    async def proposal(self, request: Request) -> Response:
        """One proposed rule: what speaks for it, and what adopting it adds."""
        return await self.proposal_page(request, request.path_params["proposal"])

    async def proposal_page(self, request: Request, name: str, sent: Sent = NOT_SENT) -> Response:
        """Render a proposal."""

        async def shown(found: Proposal) -> Values:
            return {"found": found, "entry": _entry(found)}

        one = _One("proposal.html", proposal_address(name), _NO_PROPOSAL.format(name))
        return await self._page(request, self._report.proposal(name), one, shown, sent)

    async def _page(
        self,
        request: Request,
        reading: Awaitable[Found | None],
        one: _One,
        shown: Callable[[Found], Awaitable[Values]],
        sent: Sent,
    ) -> Response:
        """Render one thing with its forms, or say why it cannot be shown."""
        status = self._status()
        try:
            found = await reading
        except Exception:
            _log.exception("cannot read what %s shows", one.template)
            return self._missing(request, _UNREADABLE, code=503)
        if found is None:
            return self._missing(request, one.absent)
        today = _day(status.at)
        return self._renderer.page(
            request,
            one.template,
            status,
            code=sent.code,
            here=one.address if sent.problem else None,
            problem=sent.problem,
            failed=sent.failed,
            typed=sent.typed,
            today=today.isoformat(),
            until=(today + timedelta(days=HOLDS_DAYS)).isoformat(),
            **await shown(found),
        )

    def _missing(self, request: Request, text: str, *, code: int = 404) -> Response:
        return self._renderer.page(request, "missing.html", self._status(), code=code, text=text)


def _entry(proposal: Proposal) -> str:
    """Write what adopting adds; the reason of an ignore rule is that of the person who adopts."""
    added = {name: value for name, value in proposal.value.items() if name != "reason"}
    return json.dumps(added, ensure_ascii=False, indent=2)


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()
