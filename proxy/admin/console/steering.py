"""Pages beside the routes: pins, explaining a request, hosts and health, and where to jump."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.console import attention
from proxy.admin.console.forms import Form, FormError, read_form
from proxy.admin.console.jumping import places
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer
from proxy.admin.console.sending import EXPIRED, Change, Sending
from proxy.admin.explain import Explanation
from proxy.admin.explaining import Explaining
from proxy.admin.health import health
from proxy.admin.interfaces import Controller
from proxy.admin.plans import spelled
from proxy.admin.problems import ProblemError
from proxy.admin.standing import RulesInForce
from proxy.observe.metrics import EVENTS
from proxy.routing.rules import Pin, RouteRules
from proxy.routing.side import Side

ROUTES_MAX = 20
"""Routes that one pin may name in a form; more are written into the rules file."""


class Steering:
    """Pins, explanations, health, places to jump to."""

    def __init__(
        self,
        controller: Controller,
        renderer: Renderer,
        sending: Sending,
        explaining: Explaining,
    ) -> None:
        self._controller = controller
        self._renderer = renderer
        self._sending = sending
        self._explaining = explaining
        self._rules = RulesInForce(controller)

    # Pins

    async def pins(self, request: Request) -> Response:
        """Who is held on one side."""
        return await self._pins(request)

    async def pin(self, request: Request) -> Response:
        """Hold an identity on one side."""

        async def change(form: Form) -> str:
            wanted = _pin(form)
            record = await self._controller.pin(
                wanted,
                author=form.author(),
                reason=form.reason(),
                expected_version=form.expected_version(),
            )
            side = wanted.side.value
            return f"{wanted.identity} is held on {side} with version {record.number}."

        return await self._change_pins(request, change, "pin")

    async def unpin(self, request: Request) -> Response:
        """Let an identity go."""

        async def change(form: Form) -> str:
            identity = form.text("identity")
            record = await self._controller.unpin(
                identity,
                author=form.author(),
                reason=form.reason(),
                expected_version=form.expected_version(),
            )
            return f"{identity} goes where its bucket sends it with version {record.number}."

        return await self._change_pins(request, change, "unpin")

    async def _change_pins(self, request: Request, change: Change, failed: str) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._pins(request, code=code, problem=problem, typed=typed, failed=failed)

        return await self._sending.answer(request, change, to="/pins", again=again)

    async def _pins(
        self,
        request: Request,
        *,
        code: int = 200,
        problem: str = "",
        failed: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        rules = await read(self._rules.get())
        return self._renderer.page(
            request,
            "pins.html",
            self._controller.glance(),
            code=code,
            here="/pins",
            pins=None if rules is None else rules.pins,
            cohorts=() if rules is None else rules.cohorts,
            sources=() if rules is None else _sources(rules.routes),
            problem=problem,
            failed=failed,
            typed={"routes": request.query_params.get("route", "")} if typed is None else typed,
        )

    # Explaining

    async def explain(self, request: Request) -> Response:
        """Which side would serve a request, asked with a form that is not kept anywhere."""
        if request.method == "GET":
            target = request.query_params.get("target", "")
            return await self._explained(request, {"target": target}, None, "")
        form = Form()
        try:
            form = await read_form(request)
            if not self._renderer.is_own_form(request, form.text("token")):
                raise FormError(EXPIRED, code=403)
            wanted = _request_to_explain(form)
            found = await self._explaining.explain(wanted)
        except (FormError, ProblemError) as error:
            text = str(error)
            if isinstance(error, ProblemError):
                text = f"{error.problem.detail} {error.problem.mend}".rstrip()
            return await self._explained(request, dict(form.fields), None, text, code=422)
        return await self._explained(request, dict(form.fields), found, "")

    async def _explained(
        self,
        request: Request,
        typed: dict[str, str],
        found: Explanation | None,
        problem: str,
        code: int = 200,
    ) -> Response:
        return self._renderer.page(
            request,
            "explain.html",
            self._controller.glance(),
            code=code,
            here="/explain",
            typed=typed,
            explanation=found,
            problem=problem,
        )

    # Health and jumping

    def _is_back(self, route_id: str) -> bool:
        """Whether a route is rolled back."""
        route = self._controller.route(route_id)
        return route is not None and route.rolled_back is not None

    async def hosts(self, request: Request) -> Response:
        """How the installation itself is."""
        status = self._controller.glance()
        return self._renderer.page(
            request,
            "hosts.html",
            status,
            silent=attention.silent(status),
            health=health(self._controller.reading()),
            meanings=EVENTS,
        )

    async def jump(self, request: Request) -> Response:
        """Where to go, as a page; for the palette only the list."""
        status = self._controller.glance()
        words = request.query_params.get("q", "")[:100]
        found = places(self._controller.brief().routes, words, self._is_back)
        if request.query_params.get("list") == "1":
            return self._renderer.fragment("_places.html", places=found, words=words)
        return self._renderer.page(request, "jump.html", status, places=found, words=words)


def _pin(form: Form) -> Pin:
    """Read a pin. Raises FormError when it is none."""
    identity = spelled(form.text("identity"))
    source, equals, value = identity.partition("=")
    if not (source and equals and value):
        raise FormError("An identity is a source and a value, such as cookie:PHPSESSID=4711.")
    if form.text("side") not in set(Side):
        raise FormError("Say on which side it is to be held.")
    routes = tuple(form.text("routes").replace(",", " ").split())
    if len(routes) > ROUTES_MAX:
        raise FormError(f"Name at most {ROUTES_MAX} routes, or none for all of them.")
    return Pin(identity, Side(form.text("side")), form.reason(), routes)


def _sources(routes: Sequence[RouteRules]) -> tuple[str, ...]:
    """Where identities are read in these rules, without repeats."""
    found = {source: None for route in routes for source in route.sticky_by if source != "mint"}
    return tuple(found)


def _request_to_explain(form: Form) -> schemas.RequestToExplain:
    """Read a request. Raises FormError when no client could send it."""
    headers = []
    for line in form.fields.get("headers", "").splitlines():
        name, colon, value = line.partition(":")
        if line.strip() and not colon:
            raise FormError("Write one header a line, as NAME: VALUE.")
        if line.strip():
            headers.append((name.strip(), value.strip()))
    wanted = schemas.RequestToExplain(
        form.text("method").upper() or "GET",
        form.text("target"),
        tuple(headers),
        form.text("client_ip") or "127.0.0.1",
    )
    troubles = schemas.request_troubles(wanted)
    if troubles:
        told = troubles[0]
        raise FormError(f"{told.where} {told.detail}. {told.mend}".rstrip())
    return wanted
