"""The admin application over a filled store, asked without a socket between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any, Final, cast

from proxy.admin.app import create_admin_app
from proxy.admin.interfaces import Controller
from proxy.control.status import (
    Brief,
    CoverageStatus,
    DecisionRecord,
    RouteStatus,
    SideStatus,
    Status,
    VersionRecord,
)
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules
from proxy.settings import AdminSettings
from shadow_compare.report import Report

PAGES: Final = (
    "/differences",
    "/differences?route=route-03",
    "/differences?critical=1",
    "/differences?after=0.1.0000000000000f00",
    "/differences?search=field_77_",
    "/differences?search=value_changed+missing+29.5+nowhere",
    "/differences?search=7&kind=missing&since_version=8&state=all",
    "/differences/000000000000004d",
    "/differences/000000000000004d?sample=3&whole=1",
    "/routes/route-03",
    "/reports/route-03",
    "/api/v1/differences",
    "/api/v1/differences?limit=500&offset=5000",
    "/api/v1/differences?limit=500&cursor=0.1.0000000000000f00",
    "/api/v1/differences/000000000000004d/acceptance",
    "/api/v1/differences?search=nowhere",
    "/api/v1/differences/proposals",
    "/api/v1/differences/rules",
    "/api/v1/differences/000000000000004d",
    "/api/v1/coverage",
)

_HEAD: Final = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
routes:
"""
_RULES: Final = """\
  - id: {name}
    match: {{path: /{name}}}
    weight: 0%
    compare:
      ignore:
        - {{path: $.meta.generated_at, reason: "a clock", until: 2026-12-01}}
        - {{path: $.meta.node, reason: "a host", until: 2020-01-01}}
"""
_IDLE: Final = SideStatus(0, 0.0, 0, None, None, None)


async def _no_metrics() -> bytes:
    return b""


class Admin:
    """Answers requests as `cutover serve` would, with a controller that stands still."""

    def __init__(self, report: Report, routes: Sequence[str], at: float) -> None:
        settings = AdminSettings(("127.0.0.1", 8090))
        controller = cast("Controller", _Still(routes, at))
        self._app = create_admin_app(controller, report, settings, _no_metrics)

    def asking(self, target: str) -> Callable[[], Awaitable[object]]:
        """Give what asks for a page; raises AssertionError for any answer but 200."""
        return lambda: self._ask(target)

    async def _ask(self, target: str) -> None:
        path, _, query = target.partition("?")
        scope = {
            "type": "http", "method": "GET", "path": path, "raw_path": path.encode(),
            "query_string": query.encode(), "root_path": "", "scheme": "http",
            "http_version": "1.1", "server": ("127.0.0.1", 8090), "client": ("127.0.0.1", 1),
            "headers": [(b"host", b"127.0.0.1:8090"), (b"accept", b"text/html")],
        }  # fmt: skip
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self._app(scope, receive, send)
        if sent[0]["status"] != 200:
            raise AssertionError(f"{target}: {sent}")


class _Still:
    """A controller of which nothing is asked but what it shows."""

    def __init__(self, routes: Sequence[str], at: float) -> None:
        self._shown = {name: _route(name) for name in routes}
        self._text = _HEAD + "".join(_RULES.format(name=name) for name in routes)
        self._rules = load_rules(self._text, "rules.yaml")[1]
        self._status = Status(
            at, 9, False, "rules.yaml", None, None, tuple(self._shown.values()), ()
        )

    def status(self) -> Status:
        """Everything as it is."""
        return self._status

    async def survey(self) -> Status:
        """The same."""
        return self._status

    def rules(self) -> Rules:
        """The rules in force, as they were read."""
        return self._rules

    def glance(self, *_: object) -> Status:
        """The same, for a page about one route."""
        return self._status

    async def outcomes(self, *_: object, **__: object) -> list[object]:
        """No traffic was measured."""
        return []

    async def rollups(self, *_: object, **__: object) -> list[object]:
        """Nor added up."""
        return []

    def brief(self) -> Brief:
        """What most pages ask."""
        return Brief(self._status.at, self._status.version, False, tuple(self._shown))

    def route(self, route_id: str) -> RouteStatus | None:
        """One of the routes."""
        return self._shown.get(route_id)

    async def version(self, number: int) -> VersionRecord:
        """The rules of all routes, each with ignore rules."""
        return VersionRecord(number, number - 1, 0.0, "bench", "filled", self._text, (), False)

    async def decisions(self, *_: object, **__: object) -> list[DecisionRecord]:
        """Nothing was decided."""
        return []

    def changed(self) -> AsyncIterator[int]:
        """Never asked for: the application's own life is not begun here."""
        raise NotImplementedError


def _route(name: str) -> RouteStatus:
    return RouteStatus(
        id=name,
        methods=("GET",),
        path=f"/{name}",
        phase="SHADOW",
        weight_configured=0,
        weight_in_force=0,
        weight_observed=0.0,
        window=60.0,
        legacy=_IDLE,
        modern=_IDLE,
        coverage=CoverageStatus(),
        verdict="HOLD",
        verdict_reason="the bench",
        mirror_share=1.0,
        plan=None,
        on_breach="rollback",
    )
