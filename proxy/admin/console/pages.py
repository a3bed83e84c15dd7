"""What each page shows: read, judge, render."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import attention, sentences
from proxy.admin.console.browsing import SHOWN, Browsing, browse
from proxy.admin.console.drawing import draw_share
from proxy.admin.console.history import History, Measure
from proxy.admin.console.led import led_to
from proxy.admin.console.looking import number
from proxy.admin.console.past import Past
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer, is_refresh
from proxy.admin.console.sparkline import Sparkline, sparkline
from proxy.admin.interfaces import Controller
from proxy.admin.series import RANGES, Series, modern_share
from proxy.control.status import DecisionRecord, RouteStatus, Status
from proxy.errors import NotFoundError

PAGE = 50
READ, READ_MOST = 200, 10
"""Decisions read at a time while looking for some kinds, and how often."""

KINDS_SHOWN = {
    "rollback": ("rollback", "freeze", "halt_writes", "kill"),
    "step": ("set_weight", "advance", "resume", "hold", "release", "approve"),
    "rules": ("load", "import", "revert", "ignore", "compare", "pin", "unpin", "deployed"),
}
DAYS_SHOWN = 8
"""Of the share of modern as figures; the chart shows half a year."""
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
        self, controller: Controller, history: History, renderer: Renderer, past: Past
    ) -> None:
        self._controller = controller
        self._history = history
        self._renderer = renderer
        self._past = past

    async def overview(self, request: Request) -> Response:
        """Is everything fine, and if not, what needs attention first."""
        status = await self._controller.survey(plans=False)
        judged = attention.by_attention(status.routes)
        browsing = Browsing.read(request.query_params)
        browsed = browse(judged, browsing)
        progress = await self._past.series(RANGES["26w"], status.at)
        return self._renderer.page(
            request,
            "overview.html",
            status,
            headline=attention.headline(status),
            browsing=browsing,
            browsed=browsed,
            shown=SHOWN,
            rows=[
                (route, attention.of_route(route, status.at), self._charts(route))
                for route, _ in browsed.rows
            ],
            progress=None if progress is None else draw_share(progress),
            days=() if progress is None else _days(progress),
            total=_requests_per_second(status, "legacy", "modern"),
            modern=_requests_per_second(status, "modern"),
            decisions=await read(self._controller.decisions(limit=5)),
            span=self._history.span,
            silent=attention.silent(status),
        )

    async def decisions(self, request: Request) -> Response:
        """What was decided, by whom or by what, newest first."""
        status = self._controller.glance()
        chosen = request.query_params.get("route") or None
        kind = request.query_params.get("kind", "")
        before = number(request.query_params.get("before"))
        found = await read(self._decisions(KINDS_SHOWN.get(kind), chosen, before))
        return self._renderer.page(
            request,
            "decisions.html",
            status,
            names=self._controller.brief().routes,
            route_id=chosen,
            kind=kind if kind in KINDS_SHOWN else "",
            before=before,
            has_more=len(found or ()) > PAGE,
            decisions=None if found is None else found[:PAGE],
        )

    async def _decisions(
        self, actions: tuple[str, ...] | None, route: str | None, before: int | None
    ) -> list[DecisionRecord]:
        """Read one page and one more; of some kinds only, as far as some thousands hold them."""
        found: list[DecisionRecord] = []
        for _ in range(READ_MOST):
            part = await self._controller.decisions(limit=READ, route=route, before=before)
            found += [each for each in part if actions is None or each.action in actions]
            if len(found) > PAGE or len(part) < READ:
                break
            before = part[-1].id
        return found[: PAGE + 1]

    async def decision(self, request: Request) -> Response:
        """One decision with its evidence."""
        number = request.path_params["number"]
        try:
            found = await read(self._controller.decision(number))
        except NotFoundError:
            return self._missing(request, f"There is no decision {number}.")
        if found is None:
            return self._missing(request, "Decisions cannot be read right now.", code=503)
        status = self._controller.glance(found.route or "")
        detector = found.evidence.get("detector")
        led = None
        if found.route and not is_refresh(request):
            led = await read(led_to(self._controller, found, status.at))
        return self._renderer.page(
            request,
            "decision.html",
            status,
            decision=found,
            led=led,
            measure=sentences.measure_of(detector) if isinstance(detector, str) else None,
            route=next((route for route in status.routes if route.id == found.route), None),
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


def _days(progress: Series) -> list[tuple[float, float | None, int]]:
    """Give the last days, newest first: when each ended, modern's share, of how many."""
    return [
        (each.at, modern_share(each), each.legacy.served + each.modern.served)
        for each in reversed(progress.intervals[-DAYS_SHOWN:])
        if each.seconds
    ]


def _requests_per_second(status: Status, *sides: str) -> float:
    """Add up what sides answer on all routes."""
    measured = (getattr(route, side) for route in status.routes for side in sides)
    return float(sum(side.requests_per_second for side in measured))
