"""What each page shows: read, judge, render."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import attention, sentences
from proxy.admin.console.history import History, Measure
from proxy.admin.console.looking import number
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, route_address
from proxy.admin.console.sparkline import Sparkline, sparkline
from proxy.admin.interfaces import Controller, Report
from proxy.admin.version_diff import changed_lines
from proxy.control.status import RouteStatus, Status, VersionRecord
from proxy.errors import NotFoundError
from shadow_compare.report import Filters, State

PAGE = 50
ERROR_RATE_TOP = 0.02
P95_TOP = 0.05
"""Smallest scales of the sparklines (2%, 50 ms): below them everything is a flat line."""


@dataclass(frozen=True, slots=True)
class Charts:
    """The sparklines of one route, both sides on one scale."""

    requests: Sparkline
    errors: Sparkline
    p95: Sparkline


class Pages:
    """The pages that only look."""

    def __init__(
        self, controller: Controller, report: Report, history: History, renderer: Renderer
    ) -> None:
        self._controller = controller
        self._report = report
        self._history = history
        self._renderer = renderer

    async def overview(self, request: Request) -> Response:
        """Is everything fine, and if not, what needs attention first."""
        status = self.status()
        judged = attention.by_attention(status.routes, status.at)
        return self._renderer.page(
            request,
            "overview.html",
            status,
            headline=attention.headline(status),
            rows=[(route, judgement, self._charts(route)) for route, judgement in judged],
            total=_requests_per_second(status, "legacy", "modern"),
            modern=_requests_per_second(status, "modern"),
            decisions=await read(self._controller.decisions(limit=5)),
            span=self._history.span,
            silent=attention.silent(status),
        )

    async def route(self, request: Request) -> Response:
        """Everything about one route."""
        return await self.route_page(request, request.path_params["route_id"])

    async def route_page(
        self,
        request: Request,
        route_id: str,
        *,
        code: int = 200,
        problem: str = "",
        failed: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        """Render a route; after a form that failed with its `problem` and what was `typed`."""
        status = self.status()
        route = next((route for route in status.routes if route.id == route_id), None)
        if route is None:
            return self._missing(request, f"There is no route “{route_id}” in the rules in force.")
        return self._renderer.page(
            request,
            "route.html",
            status,
            code=code,
            here=route_address(route_id),
            route=route,
            judgement=attention.of_route(route, status.at),
            charts=self._charts(route, width=280, height=64),
            span=self._history.span,
            problem=problem,
            failed=failed,
            typed=typed or {},
            signatures=await read(
                self._report.signatures(Filters(route=route_id, state=State.OPEN), limit=5)
            ),
            decisions=await read(self._controller.decisions(limit=8, route=route_id)),
        )

    async def decisions(self, request: Request) -> Response:
        """What was decided, by whom or by what, newest first."""
        status = self.status()
        chosen = request.query_params.get("route") or None
        before = number(request.query_params.get("before"))
        found = await read(self._controller.decisions(limit=PAGE + 1, route=chosen, before=before))
        return self._renderer.page(
            request,
            "decisions.html",
            status,
            route_id=chosen,
            before=before,
            has_more=len(found or ()) > PAGE,
            decisions=None if found is None else found[:PAGE],
        )

    async def decision(self, request: Request) -> Response:
        """One decision with its evidence."""
        number = request.path_params["number"]
        try:
            found = await read(self._controller.decision(number))
        except NotFoundError:
            return self._missing(request, f"There is no decision {number}.")
        if found is None:
            return self._missing(request, "Decisions cannot be read right now.", code=503)
        status = self.status()
        detector = found.evidence.get("detector")
        return self._renderer.page(
            request,
            "decision.html",
            status,
            decision=found,
            measure=sentences.measure_of(detector) if isinstance(detector, str) else None,
            route=next((route for route in status.routes if route.id == found.route), None),
        )

    async def rules(self, request: Request) -> Response:
        """The document in force and the versions before it."""
        status = self.status()
        before = number(request.query_params.get("before"))
        versions = await read(self._controller.versions(limit=PAGE + 1, before=before))
        return self._renderer.page(
            request,
            "rules.html",
            status,
            current=await self.version(status.version),
            versions=None if versions is None else versions[:PAGE],
            before=before,
            has_more=len(versions or ()) > PAGE,
        )

    async def rules_version(self, request: Request) -> Response:
        """One version, with what it changed."""
        number = request.path_params["number"]
        version = await self.version(number)
        if version is None:
            return self._missing(request, f"There is no version {number} of the rules.")
        parent = await self.version(version.parent)
        return self._renderer.page(
            request,
            "rules_version.html",
            self.status(),
            version=version,
            parent=parent,
            changes=() if parent is None else changed_lines(parent, version)[2:],
        )

    async def kill_switch(self, request: Request) -> Response:
        """The second step of the kill switch: what it will do, and the button."""
        return self.kill_switch_page(request)

    def kill_switch_page(
        self,
        request: Request,
        *,
        code: int = 200,
        problem: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        """Render the switch; after a form that failed with its `problem` and what was `typed`."""
        status = self.status()
        return self._renderer.page(
            request,
            "kill_switch.html",
            status,
            code=code,
            here="/kill-switch",
            problem=problem,
            typed=typed or {},
            moved=[route for route in status.routes if route.weight_in_force],
        )

    async def version(self, number: int) -> VersionRecord | None:
        """One version, or None when it does not exist or cannot be read."""
        try:
            return await read(self._controller.version(number))
        except NotFoundError:
            return None

    def _missing(self, request: Request, text: str, *, code: int = 404) -> Response:
        return self._renderer.page(request, "missing.html", self.status(), code=code, text=text)

    def status(self) -> Status:
        """Everything as it is now."""
        return self._controller.status()

    def _charts(self, route: RouteStatus, *, width: int = 88, height: int = 30) -> Charts:
        def chart(measure: Measure, least_top: float) -> Sparkline:
            return sparkline(
                {side: self._history.series(route.id, side, measure) for side in _SIDES},
                slots=self._history.slots,
                least_top=least_top,
                width=width,
                height=height,
            )

        return Charts(
            chart("requests_per_second", 1.0),
            chart("error_rate", ERROR_RATE_TOP),
            chart("p95", P95_TOP),
        )


_SIDES = ("legacy", "modern")


def _requests_per_second(status: Status, *sides: str) -> float:
    """Add up what sides answer on all routes."""
    measured = (getattr(route, side) for route in status.routes for side in sides)
    return float(sum(side.requests_per_second for side in measured))
