"""A form that was sent: check, act, redirect; or show it again with what was typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console.forms import BODY_MAX, Form, FormError, read_form
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer
from proxy.admin.interfaces import Controller
from proxy.admin.problems import ProblemError
from proxy.errors import (
    ConflictError,
    CutoverError,
    ElsewhereError,
    NotFoundError,
    UnwrittenError,
)

Change = Callable[[Form], Awaitable[str]]
"""Does what a form asks for and gives the sentence that says so."""
Again = Callable[[int, str, dict[str, str]], Awaitable[Response]]
"""Shows the form again: status, what is wrong with it, and what was typed."""

EXPIRED = (
    "This form was made before the server started anew, so nothing was changed. "
    "Look at the numbers once more and send it again."
)
CONFLICT = (
    "Somebody changed the routing while you were typing, so nothing was changed. "
    "Look at how things stand now and send the form again if you still want it."
)


class Sending:
    """Takes forms for changes of any kind."""

    def __init__(self, controller: Controller, renderer: Renderer) -> None:
        self._controller = controller
        self._renderer = renderer

    async def answer(
        self,
        request: Request,
        change: Change,
        *,
        to: str,
        again: Again,
        most: int = BODY_MAX,
    ) -> Response:
        """Make a change and send the browser on; what fails is told above the form."""
        form = Form()
        try:
            form = await read_form(request, most)
            self._check_token(request, form)
            done = await change(form)
        except (FormError, CutoverError) as error:
            return await again(_code(error), await self._explain(error), form.typed)
        return self._renderer.redirect(request, to, flash=done, author=form.author())

    def _check_token(self, request: Request, form: Form) -> None:
        """Make sure that this console made the form for this browser. Raises FormError."""
        if not self._renderer.is_own_form(request, form.text("token")):
            raise FormError(EXPIRED, code=403)

    async def _explain(self, error: Exception) -> str:
        """Say what went wrong; after a conflict also what came first."""
        if isinstance(error, ProblemError):
            return f"{error.problem.detail} {error.problem.mend}".rstrip()
        if not isinstance(error, ConflictError):
            return str(error)
        latest = await self._latest()
        return f"{CONFLICT} {latest}".rstrip()

    async def _latest(self) -> str:
        try:
            found = await read(self._controller.version(self._controller.brief().version))
        except NotFoundError:
            return ""
        return (
            "" if found is None else f"Version {found.number} is by {found.author}: {found.reason}"
        )


def _code(error: FormError | CutoverError) -> int:
    match error:
        case FormError():
            return error.code
        case ProblemError():
            return error.problem.status
        case ConflictError():
            return 409
        case NotFoundError():
            return 404
        case ElsewhereError():
            return 421
        case UnwrittenError():
            return 503
        case _:
            return 422
