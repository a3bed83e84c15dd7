"""The endpoints about plans and pins."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.interfaces import Controller
from proxy.admin.responses import json_response
from proxy.admin.standing import RulesInForce
from proxy.control.status import VersionRecord
from proxy.routing.identity import canonical
from proxy.routing.rules import Pin

Change = Callable[[int | None], Awaitable[VersionRecord]]
Changed = Callable[[Request, Change], Awaitable[Response]]
"""Makes a change under If-Match, and answers."""


class PlanEndpoints:
    """One method for each operation; those that change something are given the way to do so."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._rules = RulesInForce(controller)

    async def advance(
        self, request: Request, route_id: str, body: bytes, changed: Changed
    ) -> Response:
        """Take a step by hand."""
        wanted = schemas.read_advancement(body)
        return await changed(
            request,
            lambda expected: self._controller.advance(
                route_id,
                author=wanted.author,
                reason=wanted.reason,
                force=wanted.force,
                expected_version=expected,
            ),
        )

    async def outcomes(self, request: Request) -> Response:
        """What routes saw by the minute."""
        query = request.query_params
        page, since = schemas.read_page(query), schemas.read_since(query)
        until = schemas.read_since(query, "until")
        found = await self._controller.outcomes(
            0.0 if since is None else since,
            sys.float_info.max if until is None else until,
            query.get("route"),
            page.limit,
            schemas.read_after(query),
        )
        return json_response(
            {
                "outcomes": [interval.to_plain() for _, interval in found],
                "next_after": found[-1][0] if len(found) == page.limit else None,
            }
        )

    async def pins(self) -> Response:
        """Who is held where."""
        pins = [
            {
                "identity": pin.identity,
                "side": pin.side.value,
                "reason": pin.reason,
                "routes": list(pin.routes),
            }
            for pin in (await self._rules.get()).pins
        ]
        return json_response({"pins": pins})

    async def pin(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Hold an identity on one side."""
        wanted = schemas.read_pinning(body)
        pin = Pin(spelled(wanted.identity), wanted.side, wanted.reason, wanted.routes)
        return await changed(
            request,
            lambda expected: self._controller.pin(
                pin, author=wanted.author, reason=wanted.reason, expected_version=expected
            ),
        )

    async def unpin(self, request: Request, body: bytes, changed: Changed) -> Response:
        """Let an identity go."""
        wanted = schemas.read_unpinning(body)
        return await changed(
            request,
            lambda expected: self._controller.unpin(
                spelled(wanted.identity),
                author=wanted.author,
                reason=wanted.reason,
                expected_version=expected,
            ),
        )


def spelled(identity: str) -> str:
    """Write an identity as the rules do: names of fields are of no case."""
    source, equals, value = identity.partition("=")
    return f"{canonical(source)}{equals}{value}"
