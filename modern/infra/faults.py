"""The fault switch: makes chosen paths fail on purpose, to show what a proxy in front does then.

Installed only when MODERN_FAULTS is set; without it neither the middleware nor its path exists. The
faults are those of this process: the demo runs one.

    PUT /_faults     {"path": "/api/plans", "mode": "error", "rate": 1.0, "delay_ms": 1500}
    DELETE /_faults  everything works again

A path that ends in `*` stands for all that begin like it. `error` answers 500, `slow` waits before
answering, `wrong` answers with amounts raised by one and names in capitals.
"""

import asyncio
from collections.abc import Awaitable, Callable
from enum import StrEnum
from random import random
from typing import Annotated

import orjson
from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

PATH = "/_faults"


class Mode(StrEnum):
    """How a path misbehaves."""

    ERROR = "error"
    SLOW = "slow"
    WRONG = "wrong"


class Fault(BaseModel):
    """One fault: which path, how, in what share of the requests."""

    path: Annotated[str, Field(pattern=r"^/")]
    mode: Mode
    rate: Annotated[float, Field(ge=0, le=1)] = 1.0
    delay_ms: Annotated[int, Field(ge=0, le=60_000)] = 1500

    def strikes(self, path: str, chance: float) -> bool:
        """Return whether a request meets the fault; `chance` is uniform in [0, 1)."""
        meant = path.startswith(self.path[:-1]) if self.path.endswith("*") else path == self.path
        return meant and chance < self.rate


class Faults:
    """ASGI middleware that holds the faults and lets requests meet them."""

    def __init__(
        self,
        app: ASGIApp,
        chance: Callable[[], float] = random,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._app = app
        self._chance = chance
        self._sleep = sleep
        self._faults: dict[str, Fault] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Steer the faults, or run the application with the fault that strikes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
        elif scope["path"] == PATH:
            await (await self._steer(Request(scope, receive)))(scope, receive, send)
        else:
            await self._suffer(scope, receive, send)

    async def _steer(self, request: Request) -> Response:
        if request.method == "PUT":
            try:
                fault = Fault.model_validate_json(await request.body())
            except ValidationError as error:
                return Response(error.json(include_url=False), 422, media_type="application/json")
            self._faults[fault.path] = fault
        elif request.method == "DELETE":
            self._faults.clear()
        else:
            return Response(status_code=405, headers={"Allow": "PUT, DELETE"})
        in_force = [fault.model_dump(mode="json") for fault in self._faults.values()]
        return Response(orjson.dumps({"faults": in_force}), media_type="application/json")

    async def _suffer(self, scope: Scope, receive: Receive, send: Send) -> None:
        fault = self._striking(scope["path"])
        if fault is None:
            await self._app(scope, receive, send)
        elif fault.mode is Mode.ERROR:
            raise DeliberateError(fault.path)
        elif fault.mode is Mode.SLOW:
            await self._sleep(fault.delay_ms / 1000)
            await self._app(scope, receive, send)
        else:
            await self._app(scope, receive, _Falsifier(send))

    def _striking(self, path: str) -> Fault | None:
        for fault in self._faults.values():
            if fault.strikes(path, self._chance()):
                return fault
        return None


class DeliberateError(Exception):
    """The fault switch was asked to fail this path."""


class _Falsifier:
    """A `send` that holds the answer back until it is complete, and falsifies it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message = {}
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        self._body += message.get("body", b"")
        if message.get("more_body", False):
            return
        body = falsify(self._body)
        headers = [pair for pair in self._start["headers"] if pair[0] != b"content-length"]
        headers.append((b"content-length", str(len(body)).encode()))
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": body})


def falsify(body: bytes) -> bytes:
    """Return the JSON with every fraction (they are amounts) raised by 1 and names in capitals."""
    try:
        return orjson.dumps(_falsified(orjson.loads(body)))
    except orjson.JSONDecodeError:
        return body


def _falsified(value: object, name: str = "") -> object:
    if isinstance(value, dict):
        return {key: _falsified(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [_falsified(inner) for inner in value]
    if isinstance(value, float):
        return value + 1
    return value.upper() if name == "name" and isinstance(value, str) else value
