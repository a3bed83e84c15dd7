"""The page about recording traffic: what is recorded now, what was, and the two forms."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin.console import wording
from proxy.admin.console.forms import Form, FormError
from proxy.admin.console.render import Renderer
from proxy.admin.console.sending import Change, Sending
from proxy.admin.interfaces import Controller
from proxy.admin.members import parse_weight
from proxy.admin.recording_order import Wanted, order_of
from proxy.errors import ConflictError
from proxy.recording import BYTES_MOST, BYTES_USUAL, SECONDS_MOST, SECONDS_USUAL
from proxy.settings import whole_number

ADDRESS: Final = "/recording"
SHOWN: Final = 20
"""Recordings that are listed, the newest."""

_MINUTE: Final = 60
_MEBIBYTE: Final = 2**20


class RecordingPage:
    """The page and what its forms do; both end at the page again."""

    def __init__(self, controller: Controller, renderer: Renderer, sending: Sending) -> None:
        self._controller = controller
        self._renderer = renderer
        self._sending = sending

    async def page(self, request: Request) -> Response:
        """What is recorded of the traffic on this host."""
        return await self._page(request)

    async def start(self, request: Request) -> Response:
        """Begin to record."""

        async def change(form: Form) -> str:
            status = self._controller.status()
            order = order_of(_wanted(form), [route.id for route in status.routes], status.at)
            self._controller.recordings.start(order)
            return f"Recording until {wording.utc(order.until)}."

        return await self._answer(request, change)

    async def stop(self, request: Request) -> Response:
        """End the recording that was looked at."""

        async def change(form: Form) -> str:
            who, why, which = form.author(), form.reason(), form.text("recording")
            try:
                ended = self._controller.recordings.stop(who, why, which)
            except ConflictError as error:  # of recordings: the rules have not changed
                raise FormError(f"{error}. Nothing was ended.", code=409) from error
            return f"The recording {ended.id} has ended."

        return await self._answer(request, change)

    async def _answer(self, request: Request, change: Change) -> Response:
        async def again(code: int, problem: str, typed: dict[str, str]) -> Response:
            return await self._page(request, code=code, problem=problem, typed=typed)

        return await self._sending.answer(request, change, to=ADDRESS, again=again)

    async def _page(
        self,
        request: Request,
        *,
        code: int = 200,
        problem: str = "",
        typed: dict[str, str] | None = None,
    ) -> Response:
        status, recordings = self._controller.status(), self._controller.recordings
        kept = await asyncio.to_thread(recordings.kept)
        running = status.recording
        return self._renderer.page(
            request,
            "recording.html",
            status,
            code=code,
            here=ADDRESS,
            problem=problem,
            typed=typed or {},
            running=running,
            written=next((each for each in kept if running and each.id == running.id), None),
            folder=recordings.folder,
            kept=kept[:SHOWN],
            more=len(kept) - len(kept[:SHOWN]),
            minutes=SECONDS_USUAL // _MINUTE,
            minutes_most=SECONDS_MOST // _MINUTE,
            mebibytes=BYTES_USUAL // _MEBIBYTE,
            mebibytes_most=BYTES_MOST // _MEBIBYTE,
        )


def _wanted(form: Form) -> Wanted:
    """Read what is to be recorded. Raises FormError."""
    share = parse_weight(form.text("share"))
    if not share:
        raise FormError("The share is a percentage above 0 and up to 100, such as 10.")
    return Wanted(
        author=form.author(),
        reason=form.reason(),
        routes=tuple(form.text("routes").replace(",", " ").split()),
        share=share,
        seconds=_number(form, "minutes", SECONDS_MOST // _MINUTE) * _MINUTE,
        size=_number(form, "mebibytes", BYTES_MOST // _MEBIBYTE) * _MEBIBYTE,
    )


def _number(form: Form, name: str, most: int) -> int:
    found = whole_number(form.text(name))
    if found is None or not 1 <= found <= most:
        raise FormError(f"The {name} are a whole number from 1 to {most:,}.")
    return found
