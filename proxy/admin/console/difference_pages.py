"""The pages about differences: what was compared, what differs, and what is proposed."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.looking import ALL, PAGE, Looking
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, difference_address, proposal_address
from proxy.admin.interfaces import Controller, Report
from proxy.admin.standing import RulesInForce, standings
from proxy.control.status import Status
from shadow_compare.report import KINDS, Proposal, SignatureDetail, State
from shadow_compare.report.coverage import whole
from shadow_compare.report.samples import arrange

HOLDS_DAYS = 90
"""For how many days an ignore rule holds if nobody says otherwise: long enough to mend what it
hides, and no longer."""

PROPOSED = 10
"""Proposals beside the differences, the surest; adopting them brings up the next."""

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
        self._renderer = renderer
        self._status = status
        self._rules = RulesInForce(controller)

    async def differences(self, request: Request) -> Response:
        """Groups of differences, after what was compared at all."""
        status, looking = self._status(), Looking.read(request.query_params)
        route = looking.filters.route
        found = await read(
            self._report.signatures(looking.filters, limit=PAGE + 1, offset=looking.offset)
        )
        coverage = await read(self._report.coverage(route=route))
        rules = await read(self._rules.get())
        proposals = await read(self._report.proposals(route, limit=PROPOSED + 1))
        return self._renderer.page(
            request,
            "differences.html",
            status,
            looking=looking,
            kinds=KINDS,
            states=(*State, ALL),
            has_more=len(found or ()) > PAGE,
            signatures=None if found is None else found[:PAGE],
            coverage=coverage,
            total=whole(coverage or ()),
            proposals=(proposals or ())[:PROPOSED],
            more_proposals=len(proposals or ()) > PROPOSED,
            rules=standings(rules, coverage or (), _day(status.at), route) if rules else (),
        )

    async def difference(self, request: Request) -> Response:
        """One group: both answers side by side."""
        return await self.difference_page(request, request.path_params["signature"])

    async def difference_page(self, request: Request, name: str, sent: Sent = NOT_SENT) -> Response:
        """Render a group."""
        whole_answers = request.query_params.get("whole") == "1"

        def shown(found: SignatureDetail) -> Values:
            arranged = [arrange(each.to_plain(), whole=whole_answers) for each in found.samples]
            return {"found": found.summary, "whole": whole_answers, "samples": arranged}

        one = _One("difference.html", difference_address(name), _NO_GROUP.format(name))
        return await self._page(request, self._report.signature(name), one, shown, sent)

    async def proposal(self, request: Request) -> Response:
        """One proposed rule: what speaks for it, and what adopting it adds."""
        return await self.proposal_page(request, request.path_params["proposal"])

    async def proposal_page(self, request: Request, name: str, sent: Sent = NOT_SENT) -> Response:
        """Render a proposal."""

        def shown(found: Proposal) -> Values:
            return {"found": found, "entry": _entry(found)}

        one = _One("proposal.html", proposal_address(name), _NO_PROPOSAL.format(name))
        return await self._page(request, self._report.proposal(name), one, shown, sent)

    async def _page(
        self,
        request: Request,
        reading: Awaitable[Found | None],
        one: _One,
        shown: Callable[[Found], Values],
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
            **shown(found),
        )

    def _missing(self, request: Request, text: str, *, code: int = 404) -> Response:
        return self._renderer.page(request, "missing.html", self._status(), code=code, text=text)


def _entry(proposal: Proposal) -> str:
    """Write what adopting adds; the reason of an ignore rule is that of the person who adopts."""
    added = {name: value for name, value in proposal.value.items() if name != "reason"}
    return json.dumps(added, ensure_ascii=False, indent=2)


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()
