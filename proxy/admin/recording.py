"""The endpoints about recording traffic on this host: what is recorded, start, stop."""

from __future__ import annotations

import asyncio
import re
import socket
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.interfaces import Controller
from proxy.admin.members import Trouble, raise_for
from proxy.admin.plain import recording_plain
from proxy.admin.problems import Problem, ProblemError
from proxy.admin.recording_order import order_of, read_order
from proxy.admin.responses import json_response
from proxy.errors import ConflictError
from proxy.recording import Recorded, Recording

NONE: Final = "none"
"""The ETag of no recording; that of one is its id."""

_ETAG: Final = re.compile(r'"([0-9A-Za-z]{1,20})"', re.ASCII)


class RecordingEndpoints:
    """One method for each operation."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller

    async def recording(self) -> Response:
        """Tell what is being recorded, and what was."""
        return await self._told()

    async def start(self, request: Request, body: bytes) -> Response:
        """Begin to record; nobody's recording is ended by that."""
        wanted, status = read_order(body), self._controller.brief()
        order = order_of(wanted, list(status.routes), status.at)
        expected = read_if_match(request.headers.getlist("if-match"))
        if expected not in (None, _name(status.recording)):
            raise ProblemError(_another(status.recording))
        self._controller.recordings.start(order)
        return await self._told()

    async def stop(self, request: Request, body: bytes) -> Response:
        """End what is being recorded."""
        wanted = schemas.read_change(body)
        expected = read_if_match(request.headers.getlist("if-match"))
        try:
            self._controller.recordings.stop(wanted.author, wanted.reason, expected)
        except ConflictError as error:
            raise ProblemError(_another(self._controller.brief().recording)) from error
        return await self._told()

    async def _told(self) -> Response:
        recordings = self._controller.recordings
        kept = await asyncio.to_thread(recordings.kept)
        answer = json_response(
            {
                "host": socket.gethostname(),
                "recording": recording_plain(recordings.now),
                "recordings": [_kept_plain(each) for each in kept],
            }
        )
        answer.headers["etag"] = f'"{_name(recordings.now)}"'
        return answer


def read_if_match(values: list[str]) -> str | None:
    """Read which recording is meant, or `none`; None when any will do."""
    if not values or values == ["*"]:
        return None
    matched = _ETAG.fullmatch(values[0].strip()) if len(values) == 1 else None
    if matched is None:
        mend = 'Write one ETag, such as "20261201T120000Z" or "none".'
        raise_for([Trouble("If-Match", "is no recording", mend)])
        return None
    return matched[1]


def _name(recording: Recording | None) -> str:
    return NONE if recording is None else recording.id


def _another(running: Recording | None) -> Problem:
    """Tell what is recorded instead of what was named."""
    detail = (
        "Nothing is being recorded."
        if running is None
        else f"{running.author} records, since {running.since} ({running.id}): {running.reason}"
    )
    mend = "Read what is recorded, and repeat the change if it still fits."
    return Problem(
        412, "precondition-failed", detail, mend, {"recording": recording_plain(running)}
    )


def _kept_plain(kept: Recorded) -> dict[str, Any]:
    return {"id": kept.id, "folder": str(kept.folder), "files": kept.files, "bytes": kept.size}
