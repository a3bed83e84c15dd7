"""What the forms do that replace the rules: check, put in force, put an earlier version back."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.checking import digest
from proxy.admin.console.difference_pages import Sent
from proxy.admin.console.forms import Form, FormError, read_form
from proxy.admin.console.rules_pages import RulesPages, text_of
from proxy.admin.console.sending import Sending
from proxy.admin.interfaces import Controller
from proxy.errors import RulesError

FORM_MAX: Final = 4 * 1024 * 1024
"""Bytes of a form with a document: the largest there can be, escaped as forms escape it."""

_LOOK = "Look at what it changes, and send it again if that is what you want."
_WRONG = "The document cannot be put in force as it is; nothing was changed."


class RulesActions:
    """The forms of the editor, and the one of a version."""

    def __init__(self, controller: Controller, pages: RulesPages, sending: Sending) -> None:
        self._controller = controller
        self._pages = pages
        self._sending = sending

    async def check(self, request: Request) -> Response:
        """Check what is being typed, for a script."""
        try:
            form = await read_form(request, FORM_MAX)
        except FormError as error:
            return Response(str(error), error.code, media_type="text/plain")
        return await self._pages.check_piece(form.fields)

    async def review(self, request: Request) -> Response:
        """Show the editor with what would change; or with what others changed put in (`take`)."""
        try:
            form = await read_form(request, FORM_MAX)
        except FormError as error:
            return await self._pages.edit_page(request, Sent(error.code, str(error)))
        return await self._pages.edit_page(
            request, Sent(failed=form.text("verb"), typed=form.fields)
        )

    async def save(self, request: Request) -> Response:
        """Put a document in force that was looked at."""

        async def change(form: Form) -> str:
            current = await self._pages.version(self._controller.brief().version)
            if current is None:
                raise FormError("The rules cannot be read right now; nothing was changed.", 503)
            text = text_of(form.fields, current)
            if form.text("reviewed") != digest(text):
                raise FormError(_LOOK)
            try:
                record = await self._controller.import_rules(
                    text,
                    author=form.author(),
                    reason=form.reason(),
                    expected_version=form.expected_version(),
                )
            except RulesError as error:
                raise FormError(_WRONG) from error
            return f"Version {record.number} is in force."

        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._pages.edit_page(request, Sent(code, problem, "save", typed))

        return await self._sending.answer(request, change, to="/rules", again=again, most=FORM_MAX)

    async def revert(self, request: Request) -> Response:
        """Put the document of an earlier version in force again."""
        wanted = request.path_params["number"]

        async def change(form: Form) -> str:
            record = await self._controller.revert(
                wanted,
                author=form.author(),
                reason=form.reason(),
                expected_version=form.expected_version(),
            )
            return f"The document of version {wanted} is in force again, as {record.number}."

        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._pages.version_page(request, Sent(code, problem, "revert", typed))

        return await self._sending.answer(request, change, to="/rules", again=again)
