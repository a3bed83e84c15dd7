"""The status as JSON, written once for all who ask at about the same time, and in parts.

Consoles follow what happens, some of them on a wall for ever. However many there are, the loop that
decides pays for one; and a route of which nothing is new is not written again.
"""

from __future__ import annotations

import asyncio
import math
from typing import Final, NamedTuple

import orjson

from proxy.admin.interfaces import Controller
from proxy.admin.plain import route_plain, status_plain
from proxy.control.status import RouteStatus

PART: Final = 100
"""Routes that are written before the loop turns again."""


class Told(NamedTuple):
    """A status in JSON, and the version that it shows."""

    text: bytes
    version: int


class ToldStatus:
    """Writes the status of a controller. Moments are those of the loop's clock."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._routes: dict[str, tuple[RouteStatus, orjson.Fragment]] = {}
        self._told = Told(b"", 0)
        self._since = -math.inf
        self._writing: asyncio.Task[None] | None = None

    async def since(self, moment: float) -> Told:
        """Give everything as it was at this moment or later."""
        while self._since < moment:
            if self._writing is None:
                self._writing = asyncio.create_task(self._write())
            await asyncio.shield(self._writing)  # who leaves meanwhile is not the only one to wait
        return self._told

    async def _write(self) -> None:
        try:
            began = asyncio.get_running_loop().time()
            status = await self._controller.survey()
            before, self._routes = self._routes, {}
            for place, route in enumerate(status.routes):
                if place % PART == PART - 1:
                    await asyncio.sleep(0)
                known = before.get(route.id)
                if known is None or known[0] is not route:
                    known = route, orjson.Fragment(orjson.dumps(route_plain(route)))
                self._routes[route.id] = known
            routes = [written for _, written in self._routes.values()]
            text = orjson.dumps(status_plain(status, routes))
            self._told, self._since = Told(text, status.version), began
        finally:
            self._writing = None
