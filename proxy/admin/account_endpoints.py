"""The endpoints about accounts and settings, which only admins may ask."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.people import People, Person, Signed
from proxy.admin.plain import instant
from proxy.admin.responses import json_response
from proxy.settings import Origin


class AccountEndpoints:
    """One method per endpoint."""

    def __init__(self, people: People, origins: tuple[Origin, ...]) -> None:
        self._people = people
        self._origins = origins

    async def accounts(self) -> Response:
        """Who may ask."""
        return json_response({"accounts": [_plain(each) for each in self._people.all()]})

    async def add(self, body: bytes) -> Response:
        """Add an account."""
        wanted = schemas.read_new_account(body)
        signed = Signed(wanted.author, wanted.reason)
        token = await self._people.add(wanted.name, wanted.role, signed)
        return json_response({"name": wanted.name, "role": wanted.role.word, "token": token})

    async def give_role(self, request: Request, body: bytes) -> Response:
        """Give an account another role."""
        name = request.path_params["name"]
        wanted = schemas.read_role_change(name, body)
        await self._people.give_role(name, wanted.role, Signed(wanted.author, wanted.reason))
        return json_response(_plain(self._person(name)))

    async def remove(self, request: Request, body: bytes) -> Response:
        """Take an account away."""
        name, wanted = request.path_params["name"], schemas.read_change(body)
        before = [each for each in self._people.all() if each.name == name]
        await self._people.remove(name, Signed(wanted.author, wanted.reason))
        return json_response(_plain(before[0]))

    async def settings(self) -> Response:
        """What is in force, and where it is from."""
        shown = [
            {"name": e.name, "value": e.value, "source": e.source, "meaning": e.meaning}
            for e in self._origins
        ]
        return json_response({"settings": shown})

    def _person(self, name: str) -> Person:
        return next(each for each in self._people.all() if each.name == name)


def _plain(person: Person) -> dict[str, str | None]:
    used = None if person.used is None else instant(person.used)
    return {"name": person.name, "role": person.role.word, "used": used}
