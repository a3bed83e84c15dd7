"""The endpoints about replays."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from proxy.admin import schemas
from proxy.admin.people import Signed
from proxy.admin.plain import instant
from proxy.admin.replay_jobs import Job
from proxy.admin.replaying import Replaying
from proxy.admin.responses import json_response


class ReplayEndpoints:
    """One method per endpoint."""

    def __init__(self, replaying: Replaying) -> None:
        self._replaying = replaying

    async def all(self) -> Response:
        """What was replayed from here."""
        return json_response({"replays": [job_plain(each) for each in await self._replaying.all()]})

    async def one(self, request: Request) -> Response:
        """One replay with what it found."""
        job = await self._replaying.one(request.path_params["replay"])
        return json_response({**job_plain(job), "result": job.result})

    async def start(self, body: bytes) -> Response:
        """Begin one."""
        wanted = schemas.read_replay(body)
        signed = Signed(wanted.author, wanted.reason)
        order = await self._replaying.start(wanted.recording, wanted.rate, signed)
        return json_response(job_plain(await self._replaying.one(order.id)))

    async def stop(self, request: Request, body: bytes) -> Response:
        """End one."""
        name, wanted = request.path_params["replay"], schemas.read_change(body)
        await self._replaying.stop(name, Signed(wanted.author, wanted.reason))
        return json_response(job_plain(await self._replaying.one(name)))


def job_plain(job: Job) -> dict[str, Any]:
    """As the JSON of the API, without the result."""
    order = asdict(job.order)
    return {
        **order,
        "at": instant(job.order.at),
        "targets": list(job.order.targets),
        "stage": job.stage.value,
        "told": job.told,
    }
