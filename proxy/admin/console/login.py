"""Signing in and out of the console, where there are accounts."""

from __future__ import annotations

import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from proxy.admin.account_guard import SESSION_COOKIE, AccountGuard
from proxy.admin.accounts import Account
from proxy.admin.auth import HELD
from proxy.admin.console.forms import FormError, read_form
from proxy.admin.console.held import HELD_MAX, SEALED_MAX, held, hold
from proxy.admin.console.render import Renderer
from proxy.admin.console.sending import EXPIRED
from proxy.admin.principal import LOGIN, current


class Login:
    """The page where somebody signs in, and what its form does."""

    def __init__(self, renderer: Renderer, guard: AccountGuard) -> None:
        self._renderer = renderer
        self._guard = guard

    async def page(self, request: Request) -> Response:
        """Ask for the token."""
        return self._page(request, request.query_params.get("next", "/"))

    async def sign_in(self, request: Request) -> Response:
        """Begin a session, and lead to where somebody wanted to go, or back to a form."""
        if HELD in request.scope:
            return await self._hold(request, request.scope[HELD])
        try:
            form = await read_form(request, SEALED_MAX)
            if not self._renderer.is_own_form(request, form.text("token")):
                raise FormError(EXPIRED, code=403)
        except FormError as error:
            return self._page(request, "/", str(error), error.code)
        wanted = own_path(form.text("next"))
        secret = secrets.token_urlsafe(32)
        client = request.client.host if request.client else ""
        found = await self._guard.sign_in(form.text("secret"), client, secret)
        if not isinstance(found, Account):
            sealed = form.text("held")
            return self._page(request, wanted, found.detail, found.status, sealed)
        back = held(self._renderer.seal, form.text("held"))
        answer: Response = RedirectResponse(wanted, 303)
        if back is not None and own_path(back.path) == back.path:
            answer = self._renderer.bare(
                request, "held.html", 200, session=secret, held=back, name=found.name
            )
        self._renderer.keep_session(request, answer, SESSION_COOKIE, secret)
        return answer

    async def _hold(self, request: Request, path: str) -> Response:
        """Ask for the token in the middle of a form, which is kept."""
        try:
            form = await read_form(request, HELD_MAX)
        except FormError as error:
            return self._page(request, "/", str(error), error.code)
        return self._page(request, "/", code=401, sealed=hold(self._renderer.seal, path, form))

    async def sign_out(self, request: Request) -> Response:
        """End the session."""
        form = await read_form(request)
        if self._renderer.is_own_form(request, form.text("token")):
            self._guard.sessions.end(current().session)
        answer = RedirectResponse(LOGIN, 303)
        answer.delete_cookie(SESSION_COOKIE)
        return answer

    def _page(
        self, request: Request, wanted: str, problem: str = "", code: int = 200, sealed: str = ""
    ) -> Response:
        return self._renderer.bare(
            request, "login.html", code, wanted=own_path(wanted), problem=problem, held=sealed
        )


def own_path(text: str) -> str:
    """Give a path of this console; anything else, which may lead elsewhere, is the overview."""
    is_path = text.startswith("/") and not text.startswith("//") and "\\" not in text
    return text if is_path and text.isascii() and text.isprintable() else "/"
