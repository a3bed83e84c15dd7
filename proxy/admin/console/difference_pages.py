"""The pages about differences: what was compared, what differs, and what is proposed."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.looking import ALL, PAGE, Looking
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, difference_address, proposal_address
from proxy.admin.interfaces import Controller, Report
from proxy.admin.standing import RulesInForce, standings
from proxy.control.status import Status
from shadow_compare.report import KINDS, Proposal, State
from shadow_compare.report.coverage import whole
from shadow_compare.report.samples import arrange

HOLDS_DAYS = 90
"""For how many days an ignore rule holds if nobody says otherwise: long enough to mend what it
hides, and no longer."""

PROPOSED = 10
"""Proposals beside the differences, the surest; adopting them brings up the next."""

_UNREADABLE = "The comparisons cannot be read right now."
_log = logging.getLogger(__name__)


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

    async def difference_page(
        self,
        request: Request,
        name: str,
        *,
        code: int = 200,
        problem: str = "",
        failed: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        """Render a group; after a form that failed with its `problem` and what was `typed`."""
        status = self._status()
        try:
            found = await self._report.signature(name)
        except Exception:
            _log.exception("cannot read signature")
            return self._missing(request, _UNREADABLE, code=503)
        if found is None:
            return self._missing(
                request, f"There is no group of differences “{name}”; old ones are removed in time."
            )
        whole_answers = request.query_params.get("whole") == "1"
        return self._renderer.page(
            request,
            "difference.html",
            status,
            code=code,
            here=None if code == 200 else difference_address(name),
            found=found.summary,
            whole=whole_answers,
            samples=[arrange(sample.to_plain(), whole=whole_answers) for sample in found.samples],
            **self._form(status, problem, failed, typed),
        )

    async def proposal(self, request: Request) -> Response:
        """One proposed rule: what speaks for it, and what adopting it adds."""
        return await self.proposal_page(request, request.path_params["proposal"])

    async def proposal_page(
        self,
        request: Request,
        name: str,
        *,
        code: int = 200,
        problem: str = "",
        failed: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        """Render a proposal; after a form that failed with its `problem` and what was `typed`."""
        status = self._status()
        try:
            found = await self._report.proposal(name)
        except Exception:
            _log.exception("cannot read proposals")
            return self._missing(request, _UNREADABLE, code=503)
        if found is None:
            return self._missing(
                request, f"There is no proposal “{name}”; it may be a rule by now."
            )
        return self._renderer.page(
            request,
            "proposal.html",
            status,
            code=code,
            here=proposal_address(name),
            found=found,
            entry=_entry(found),
            **self._form(status, problem, failed, typed),
        )

    def _form(
        self, status: Status, problem: str, failed: str, typed: dict[str, str] | None
    ) -> dict[str, object]:
        """Give what the forms of a page need."""
        today = _day(status.at)
        return {
            "problem": problem,
            "failed": failed,
            "typed": typed or {},
            "today": today.isoformat(),
            "until": (today + timedelta(days=HOLDS_DAYS)).isoformat(),
        }

    def _missing(self, request: Request, text: str, *, code: int = 404) -> Response:
        return self._renderer.page(request, "missing.html", self._status(), code=code, text=text)


def _entry(proposal: Proposal) -> str:
    """Write what adopting adds; the reason of an ignore rule is that of the person who adopts."""
    added = {name: value for name, value in proposal.value.items() if name != "reason"}
    return json.dumps(added, ensure_ascii=False, indent=2)


def _day(at: float) -> date:
    return datetime.fromtimestamp(at, UTC).date()
