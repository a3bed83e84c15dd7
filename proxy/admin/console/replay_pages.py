"""The pages of replays: start one, see how far it is, and what it found."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from proxy.admin.console.forms import Form, FormError
from proxy.admin.console.render import Renderer
from proxy.admin.console.sending import Change, Sending
from proxy.admin.interfaces import Controller
from proxy.admin.people import Signed
from proxy.admin.replaying import RATE, RATE_MOST, Replaying
from proxy.errors import NotFoundError
from proxy.settings import whole_number

GROUPS_SHOWN = 50


class ReplayPages:
    """The pages and their forms."""

    def __init__(
        self, controller: Controller, replaying: Replaying, renderer: Renderer, sending: Sending
    ) -> None:
        self._controller = controller
        self._replaying = replaying
        self._renderer = renderer
        self._sending = sending

    async def replays(self, request: Request) -> Response:
        """What was replayed, and the form to start another."""
        return await self._page(request)

    async def replay(self, request: Request) -> Response:
        """One replay."""
        name = request.path_params["replay"]
        status = await self._controller.survey()
        try:
            job = await self._replaying.one(name)
        except NotFoundError as error:
            text = str(error)
            return self._renderer.page(request, "missing.html", status, code=404, text=text)
        return self._renderer.page(request, "replay.html", status, job=job, shown=GROUPS_SHOWN)

    async def report(self, request: Request) -> Response:
        """Give the whole report as a file: it has styles of its own, which no page may have."""
        name = request.path_params["replay"]
        page = self._replaying.page_of(name)
        return FileResponse(page, media_type="text/html", filename=f"replay-{name}.html")

    async def start(self, request: Request) -> Response:
        """Begin one."""

        async def change(form: Form) -> str:
            rate = whole_number(form.text("rate"))
            if rate is None or not 1 <= rate <= RATE_MOST:
                raise FormError(f"The rate is a whole number from 1 to {RATE_MOST}.")
            signed = Signed(form.author(), form.reason())
            order = await self._replaying.start(form.text("recording"), rate, signed)
            return f"The replay {order.id} has begun."

        return await self._changed(request, change)

    async def stop(self, request: Request) -> Response:
        """End one."""
        name = request.path_params["replay"]

        async def change(form: Form) -> str:
            await self._replaying.stop(name, Signed(form.author(), form.reason()))
            return f"The replay {name} is being stopped."

        return await self._changed(request, change)

    async def _changed(self, request: Request, change: Change) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._page(request, code=code, problem=problem, typed=typed)

        return await self._sending.answer(request, change, to="/replays", again=again)

    async def _page(
        self,
        request: Request,
        *,
        code: int = 200,
        problem: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        jobs = await self._replaying.all()
        return self._renderer.page(
            request,
            "replays.html",
            await self._controller.survey(),
            code=code,
            here="/replays",
            problem=problem,
            typed=typed or {},
            jobs=jobs,
            running=next((job for job in jobs if job.stage == "running"), None),
            kept=await asyncio.to_thread(self._controller.recordings.kept),
            rate=RATE,
            rate_most=RATE_MOST,
        )
