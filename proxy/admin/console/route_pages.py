"""The pages of one route: how it does and how to steer it, and its history as figures."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import attention
from proxy.admin.console.drawing import (
    FIGURES,
    draw,
    draw_latencies,
    shown_figure,
    sizes,
    table,
)
from proxy.admin.console.past import Past
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, is_refresh, route_address
from proxy.admin.interfaces import Controller, Report
from proxy.admin.members import parse_weight
from proxy.admin.preview import preview
from proxy.admin.series import HOUR_AGO, RANGES
from proxy.admin.standing import RulesInForce
from proxy.control.status import DecisionRecord, RouteStatus, Status
from proxy.routing.rules import Cohort, Pin
from shadow_compare.report import Filters, State

UNDONE_WITHIN = 900.0
"""Seconds after which a change of weight is history, and not undone with one press."""


class RoutePages:
    """Everything about one route."""

    def __init__(
        self, controller: Controller, report: Report, renderer: Renderer, past: Past
    ) -> None:
        self._controller = controller
        self._report = report
        self._renderer = renderer
        self._past = past
        self._rules = RulesInForce(controller)

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
        status = self._controller.glance(route_id)
        route = _found(status, route_id)
        if route is None:
            return self._missing(request, status, route_id)
        query = request.query_params
        wanted = RANGES.get(query.get("range", ""), HOUR_AGO)
        figure = shown_figure(query.get("figure"))
        weight = parse_weight(query.get("weight", ""))
        decisions = await read(self._controller.decisions(limit=8, route=route_id))
        # A refresh leaves the charts alone: they were drawn with the page, and live on by a script.
        series = None
        if not is_refresh(request):
            series = await self._past.series(wanted, status.at, route_id)
        return self._renderer.page(
            request,
            "route.html",
            status,
            code=code,
            here=self._here(request, route_id),
            route=route,
            judgement=attention.of_route(route, status.at),
            ranges=tuple(RANGES),
            range=wanted,
            figures=tuple(FIGURES.values()),
            figure=figure,
            chart=None if series is None else draw(series, figure),
            latencies=None if series is None else draw_latencies(series),
            sizes=None if series is None else sizes(series),
            preview=None if weight is None else preview(route, weight, killed=status.kill_switch),
            undo=_undo(decisions or (), status),
            pins=await self._pins(route_id),
            cohorts=await self._cohorts(route_id),
            problem=problem,
            failed=failed,
            typed=typed or {},
            signatures=await read(
                self._report.signatures(Filters(route=route_id, state=State.OPEN), limit=5)
            ),
            decisions=decisions,
        )

    async def history(self, request: Request) -> Response:
        """What a route did over time, every figure as a chart and all of them as a table."""
        query = request.query_params
        status = self._controller.glance(query.get("route", ""))
        route = _found(status, query.get("route", ""))
        if route is None:
            return self._missing(request, status, query.get("route", ""))
        wanted = RANGES.get(query.get("range", ""), HOUR_AGO)
        series = await self._past.series(wanted, status.at, route.id)
        return self._renderer.page(
            request,
            "history.html",
            status,
            route=route,
            ranges=tuple(RANGES),
            range=wanted,
            charts=None
            if series is None
            else [(figure, draw(series, figure)) for figure in FIGURES.values()],
            rows=None if series is None else table(series),
        )

    async def _pins(self, route_id: str) -> Sequence[Pin]:
        rules = await read(self._rules.get())
        pins = () if rules is None else rules.pins
        return [pin for pin in pins if not pin.routes or route_id in pin.routes]

    async def _cohorts(self, route_id: str) -> Sequence[Cohort]:
        rules = await read(self._rules.get())
        route = None if rules is None else rules.route(route_id)
        return () if route is None else route.cohorts

    def _here(self, request: Request, route_id: str) -> str:
        """After a form the page has its own address again, without what was asked for there."""
        query = f"?{request.url.query}" if request.method == "GET" and request.url.query else ""
        return route_address(route_id) + query

    def _missing(self, request: Request, status: Status, route_id: str) -> Response:
        text = f"There is no route “{route_id}” in the rules in force."
        names = self._controller.brief().routes
        return self._renderer.page(
            request, "missing.html", status, code=404, text=text, names=names
        )


def _found(status: Status, route_id: str) -> RouteStatus | None:
    return next((route for route in status.routes if route.id == route_id), None)


def _undo(decisions: Sequence[DecisionRecord], status: Status) -> DecisionRecord | None:
    """Give the change of weight that made the version in force, if it can be taken back."""
    if not decisions:
        return None
    last = decisions[0]
    is_change = last.action in ("set_weight", "advance") and last.version == status.version
    has_before = isinstance(last.evidence.get("previous"), int)
    return last if is_change and has_before and status.at - last.at < UNDONE_WITHIN else None
