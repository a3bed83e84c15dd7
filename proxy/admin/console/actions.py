"""What each form does: check, act, redirect; or show the form again with what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import wording
from proxy.admin.console.forms import Form, FormError, read_form
from proxy.admin.console.pages import Pages
from proxy.admin.console.render import Renderer, route_address
from proxy.admin.interfaces import Controller
from proxy.errors import ConflictError, CutoverError, NotFoundError

Change = Callable[[Form], Awaitable[str]]
"""Does what a form asks for and gives the sentence that says so."""

EXPIRED = (
    "This form was made before the server started anew, so nothing was changed. "
    "Look at the numbers once more and send it again."
)
CONFLICT = (
    "Somebody changed the routing while you were typing, so nothing was changed. "
    "Look at how things stand now and send the form again if you still want it."
)


class Actions:
    """The forms that change the routing."""

    def __init__(self, controller: Controller, pages: Pages, renderer: Renderer) -> None:
        self._controller = controller
        self._pages = pages
        self._renderer = renderer

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
        form = Form()
        try:
            form = await read_form(request)
            self._check_token(request, form)
            wanted = form.text("on") == "1"
            await self._controller.set_kill_switch(
                wanted, author=form.author(), reason=form.reason()
            )
        except (FormError, CutoverError) as error:
            typed = dict(form.fields)
            return self._pages.kill_switch_page(
                request, code=_code(error), problem=str(error), typed=typed
            )
        done = "on: legacy answers everything" if wanted else "off: the rules decide again"
        return self._renderer.redirect(
            request, "/", flash=f"The kill switch is {done}.", author=form.author()
        )

    async def _on_route(
        self, request: Request, route_id: str, failed: str, change: Change
    ) -> Response:
        form = Form()
        try:
            form = await read_form(request)
            self._check_token(request, form)
            done = await change(form)
        except (FormError, CutoverError) as error:
            return await self._pages.route_page(
                request,
                route_id,
                code=_code(error),
                problem=await self._explain(error),
                failed=failed,
                typed=dict(form.fields),
            )
        where = route_address(route_id)
        return self._renderer.redirect(request, where, flash=done, author=form.author())

    def _check_token(self, request: Request, form: Form) -> None:
        """Make sure that this console made the form for this browser. Raises FormError."""
        if not self._renderer.is_own_form(request, form.text("token")):
            raise FormError(EXPIRED, code=403)

    async def _explain(self, error: Exception) -> str:
        """Say what went wrong; after a conflict also what came first."""
        if not isinstance(error, ConflictError):
            return str(error)
        latest = await self._pages.version(self._controller.status().version)
        if latest is None:
            return CONFLICT
        return f"{CONFLICT} Version {latest.number} is by {latest.author}: {latest.reason}"


def _code(error: FormError | CutoverError) -> int:
    match error:
        case FormError():
            return error.code
        case ConflictError():
            return 409
        case NotFoundError():
            return 404
        case _:
            return 422
