"""Mirrored writes as a shadow worker sends them, for tests of applications that take part."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import uvicorn

from shadow_compare.asking import Asker, Seal, write_id
from shadow_compare.capture import Capture
from shadow_compare.config import ShadowSettings, SideConfig
from shadow_compare.normalize import Answer
from tests.support_shadow import WRITE_KEY, a_capture

AT_ONCE = 24
_IDS = count()


@asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    """Let an ASGI application listen on a free port; gives the port."""
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - the server says it nowhere else
        await asyncio.sleep(0.005)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def a_write(method: str, target: str, body: bytes = b"", **changes: object) -> Capture:
    """Give a captured write, of a form or of whatever its headers say."""
    headers = (("host", "shop.example"), ("content-type", "application/json"))
    values: dict[str, object] = {"request_headers": headers, "request_body": body, **changes}
    return a_capture(id=f"w{next(_IDS)}", method=method, target=target, **values)


async def send_all(port: int, writes: Iterable[Capture]) -> list[Answer]:
    """Have writes carried out without effect, many at once; each must be acknowledged."""
    settings = ShadowSettings(b"r", write_key=WRITE_KEY, concurrency=AT_ONCE)
    asker = Asker(settings, time.monotonic)
    side = SideConfig((f"http://127.0.0.1:{port}",))

    async def send(write: Capture) -> Answer:
        seal = Seal(WRITE_KEY, write_id(write), int(time.time()))
        answer, _ = await asker.ask_to_write(write, side, seal)
        return answer

    try:
        return await asyncio.gather(*map(send, writes))
    finally:
        asker.close()
