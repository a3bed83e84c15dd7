"""One address for people on a host that sometimes acts: answers as what it is at the moment."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send


class Reception:
    """Leads to the acting controller's application while one acts here, or to the standby's.

    `acts` is asked each time: a process that was paused may act no more, and not know it yet.
    """

    def __init__(self, standby: Starlette, acts: Callable[[], bool]) -> None:
        self._standby = standby
        self._acts = acts
        self._acting: Starlette | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer."""
        acting = self._acting if scope["type"] != "lifespan" and self._acts() else None
        await (acting or self._standby)(scope, receive, send)

    @asynccontextmanager
    async def open_for(self, acting: Starlette) -> AsyncIterator[None]:
        """Lead to a controller's application for a while."""
        async with acting.router.lifespan_context(acting):
            self._acting = acting
            try:
                yield
            finally:
                self._acting = None
