"""The pages of admins and auditors: the journal and whether it is whole, accounts, settings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.auditing import Auditing
from proxy.admin.console.difference_pages import NOT_SENT, Sent
from proxy.admin.console.forms import Form, FormError, read_form
from proxy.admin.console.looking import number
from proxy.admin.console.reading import read
from proxy.admin.console.render import Renderer
from proxy.admin.console.sending import EXPIRED, Change, Sending
from proxy.admin.interfaces import Controller
from proxy.admin.people import People, Signed
from proxy.admin.principal import ROLES, Role
from proxy.control.status import DecisionRecord
from proxy.errors import CutoverError
from proxy.settings import Origin

PAGE: Final = 50
READ: Final = 200
READ_MOST: Final = 20
"""Entries read at a time while looking for some, and how often: 4,000 in all."""


@dataclass(frozen=True, slots=True)
class Administered:
    """What these pages are about, beside the controller."""

    people: People
    auditing: Auditing
    origins: tuple[Origin, ...]


class AdminPages:
    """The pages, and the forms of accounts."""

    def __init__(
        self,
        controller: Controller,
        renderer: Renderer,
        sending: Sending,
        administered: Administered,
    ) -> None:
        self._controller = controller
        self._renderer = renderer
        self._sending = sending
        self._people = administered.people
        self._auditing = administered.auditing
        self._origins = administered.origins

    async def audit(self, request: Request) -> Response:
        """The journal by who, what and where; and what the last verification found."""
        return await self._audit_page(request)

    async def verify(self, request: Request) -> Response:
        """Verify the journal now, and show the page with what was found."""
        problem = ""
        try:
            await self._auditing.verify()
        except CutoverError as error:
            problem = str(error)
        return await self._audit_page(request, problem)

    async def _audit_page(self, request: Request, problem: str = "") -> Response:
        query = request.query_params
        wanted = {name: query.get(name, "")[:100] for name in ("route", "author", "action")}
        before = number(query.get("before"))
        found = await read(self._journal(wanted, before))
        return self._renderer.page(
            request,
            "audit.html",
            await self._controller.survey(),
            here="/audit" if request.url.path != "/audit" else None,
            problem=problem,
            wanted=wanted,
            before=before,
            entries=None if found is None else found[0][:PAGE],
            following=None if found is None else _following(*found),
            verified=self._auditing.last,
        )

    async def _journal(
        self, wanted: dict[str, str], before: int | None
    ) -> tuple[list[DecisionRecord], int | None]:
        """Read until a page is full; gives as well where looking ended, None at the beginning."""
        found: list[DecisionRecord] = []
        for _ in range(READ_MOST):
            part = await self._controller.decisions(READ, wanted["route"] or None, before)
            found += [
                each
                for each in part
                if wanted["author"].lower() in each.author.lower()
                and wanted["action"] in ("", each.action)
            ]
            before = part[-1].id if len(part) == READ else None
            if before is None or len(found) > PAGE:
                break
        return found, before

    async def settings(self, request: Request) -> Response:
        """What is in force, and where it is from."""
        return self._renderer.page(
            request, "settings.html", await self._controller.survey(), origins=self._origins
        )

    async def accounts(self, request: Request) -> Response:
        """Who may ask."""
        return await self._accounts_page(request)

    async def add(self, request: Request) -> Response:
        """Add an account, and show its token this once."""
        form = Form()
        try:
            form = await read_form(request)
            if not self._renderer.is_own_form(request, form.text("token")):
                raise FormError(EXPIRED, code=403)
            name = form.text("name")
            token = await self._people.add(name, _role(form), _signed(form))
        except (FormError, CutoverError) as error:
            code = error.code if isinstance(error, FormError) else 422
            return await self._accounts_page(request, Sent(code, str(error), "add", form.typed))
        return self._renderer.bare(
            request, "account_token.html", 200, name=name, made=token, role=_role(form).word
        )

    async def give_role(self, request: Request) -> Response:
        """Give an account another role."""
        name = request.path_params["name"]

        async def change(form: Form) -> str:
            role = _role(form)
            await self._people.give_role(name, role, _signed(form))
            return f"{name} has the role {role.word} from now on."

        return await self._changed(request, name, change)

    async def remove(self, request: Request) -> Response:
        """Take an account away."""
        name = request.path_params["name"]

        async def change(form: Form) -> str:
            await self._people.remove(name, _signed(form))
            return f"{name} may no longer ask; the token and all sessions have ended."

        return await self._changed(request, name, change)

    async def _changed(self, request: Request, name: str, change: Change) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._accounts_page(request, Sent(code, problem, name, typed))

        return await self._sending.answer(request, change, to="/accounts", again=again)

    async def _accounts_page(self, request: Request, sent: Sent = NOT_SENT) -> Response:
        return self._renderer.page(
            request,
            "accounts.html",
            await self._controller.survey(),
            code=sent.code,
            here="/accounts",
            problem=sent.problem,
            failed=sent.failed,
            typed=sent.typed,
            file=self._people.file,
            people=self._people.all() if self._people.file else (),
            roles=ROLES,
        )


def _following(found: list[DecisionRecord], before: int | None) -> int | None:
    """Give before which entry the next page begins; None at the end."""
    return found[PAGE - 1].id if len(found) > PAGE else before


def _role(form: Form) -> Role:
    word = form.text("role")
    if word not in ROLES:
        raise FormError(f"Choose a role: {', '.join(ROLES)}.")
    return Role[word.upper()]


def _signed(form: Form) -> Signed:
    return Signed(form.author(), form.reason())
