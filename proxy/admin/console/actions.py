"""What the forms do that change the routing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import wording
from proxy.admin.console.forms import Form, FormError
from proxy.admin.console.pages import Pages
from proxy.admin.console.render import route_address
from proxy.admin.console.route_pages import RoutePages
from proxy.admin.console.sending import Change, Sending
from proxy.admin.interfaces import Controller
from proxy.control.status import VersionRecord


class Actions:
    """The forms that change the routing."""

    def __init__(
        self, controller: Controller, pages: Pages, routes: RoutePages, sending: Sending
    ) -> None:
        self._controller = controller
        self._pages = pages
        self._routes = routes
        self._sending = sending

    async def set_weight(self, request: Request) -> Response:
        """Change the weight of a route."""
        route_id = request.path_params["route_id"]

        async def change(form: Form) -> str:
            wanted = form.weight()
            record = await self._controller.set_weight(
                route_id,
                wanted,
                author=form.author(),
                reason=form.reason(),
                expected_version=form.expected_version(),
            )
            return f"{route_id} is at {wording.weight(wanted)} with version {record.number}."

        return await self._on_route(request, route_id, "weight", change)

    async def rollback(self, request: Request) -> Response:
        """Take a route back to legacy."""
        route_id = request.path_params["route_id"]

        async def change(form: Form) -> str:
            record = await self._controller.rollback(
                route_id, author=form.author(), reason=form.reason()
            )
            return f"{route_id} is rolled back to legacy with version {record.number}."

        return await self._on_route(request, route_id, "rollback", change)

    async def resume(self, request: Request) -> Response:
        """Put a rolled-back route in force again."""
        route_id = request.path_params["route_id"]

        async def change(form: Form) -> str:
            wanted = form.weight()
            record = await self._controller.resume(
                route_id,
                author=form.author(),
                reason=form.reason(),
                weight=wanted,
                force=form.text("force") == "1",
                expected_version=form.expected_version(),
            )
            at = wording.weight(wanted)
            return f"{route_id} is resumed at {at} with version {record.number}."

        return await self._on_route(request, route_id, "resume", change)

    async def plan(self, request: Request) -> Response:
        """Hold the plan of a route, let it go on, take its next step, or approve the one it is on.

        The button that was pressed says which.
        """
        route_id = request.path_params["route_id"]

        async def change(form: Form) -> str:
            controller = self._controller
            verbs: dict[str, tuple[Callable[..., Awaitable[VersionRecord]], str]] = {
                "hold": (controller.hold, "the plan of {} is on hold"),
                "release": (controller.resume, "the plan of {} goes on"),
                "approve": (controller.approve, "the step of {} is approved"),
                "advance": (
                    partial(controller.advance, force=form.text("force") == "1"),
                    "{} has taken the next step of its plan",
                ),
            }
            if form.text("verb") not in verbs:
                raise FormError("Press one of the buttons.")
            act, told = verbs[form.text("verb")]
            record = await act(
                route_id,
                author=form.author(),
                reason=form.reason(),
                expected_version=form.expected_version(),
            )
            said = told.format(route_id)
            return f"{said[:1].upper()}{said[1:]} with version {record.number}."

        return await self._on_route(request, route_id, "plan", change)

    async def resume_writes(self, request: Request) -> Response:
        """Mirror the writes of a route again."""
        route_id = request.path_params["route_id"]

        async def change(form: Form) -> str:
            record = await self._controller.resume_writes(
                route_id, author=form.author(), reason=form.reason()
            )
            return f"Writes of {route_id} are mirrored again with version {record.number}."

        return await self._on_route(request, route_id, "resume-writes", change)

    async def kill_switch(self, request: Request) -> Response:
        """Send everything to legacy, or let the rules decide again."""

        async def change(form: Form) -> str:
            wanted = form.text("on") == "1"
            await self._controller.set_kill_switch(
                wanted, author=form.author(), reason=form.reason()
            )
            done = "on: legacy answers everything" if wanted else "off: the rules decide again"
            return f"The kill switch is {done}."

        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return self._pages.kill_switch_page(request, code=code, problem=problem, typed=typed)

        return await self._sending.answer(request, change, to="/", again=again)

    async def _on_route(
        self, request: Request, route_id: str, failed: str, change: Change
    ) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._routes.route_page(
                request, route_id, code=code, problem=problem, failed=failed, typed=typed
            )

        return await self._sending.answer(request, change, to=route_address(route_id), again=again)
