"""A reverse proxy with Starlette, httpx and uvicorn."""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route

from bench.peers.common import HOP_BY_HOP, options

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@contextlib.asynccontextmanager
async def lifespan(_app: Starlette) -> AsyncIterator[dict[str, Any]]:
    """One client for all requests."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=1024)
    async with httpx.AsyncClient(
        base_url=os.environ["BENCH_ORIGIN"], limits=limits, timeout=30, trust_env=False
    ) as client:
        yield {"client": client}


async def forward(request: Request) -> StreamingResponse:
    """Answer one request, streaming both ways."""
    client: httpx.AsyncClient = request.state.client
    has_body = "content-length" in request.headers or "transfer-encoding" in request.headers
    asked = client.build_request(
        request.method,
        httpx.URL(path=request.url.path, query=request.url.query.encode()),
        headers=_forwarded(request),
        content=request.stream() if has_body else None,
    )
    answer = await client.send(asked, stream=True)
    response = StreamingResponse(
        answer.aiter_raw(), status_code=answer.status_code, background=BackgroundTask(answer.aclose)
    )
    response.raw_headers = [
        (name.lower(), value)
        for name, value in answer.headers.raw
        if name.lower().decode("latin-1") not in HOP_BY_HOP
    ]
    return response


def _forwarded(request: Request) -> list[tuple[bytes, bytes]]:
    fields = [
        (name, value)
        for name, value in request.headers.raw
        if name.decode("latin-1") not in HOP_BY_HOP
    ]
    peer = request.client.host if request.client else ""
    before = request.headers.get("x-forwarded-for")
    return [
        *((name, value) for name, value in fields if name != b"x-forwarded-for"),
        (b"x-forwarded-for", (f"{before}, {peer}" if before else peer).encode()),
        (b"x-forwarded-proto", request.url.scheme.encode()),
        (b"x-forwarded-host", request.headers.get("host", "").encode()),
        (b"x-request-id", uuid.uuid4().hex.encode()),
    ]


app = Starlette(routes=[Route("/{path:path}", forward, methods=METHODS)], lifespan=lifespan)


if __name__ == "__main__":
    asked = options()
    os.environ["BENCH_ORIGIN"] = asked.origin
    if asked.access_log:
        sys.stdout = asked.access_log.open("a")
    uvicorn.run(
        "bench.peers.starlette_proxy:app",
        port=asked.port,
        workers=asked.workers,
        loop="uvloop",
        http="httptools",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        access_log=asked.access_log is not None,
        log_level="info" if asked.access_log else "error",
        timeout_keep_alive=3600,
        backlog=4096,
        ssl_certfile=asked.certificate,
        ssl_keyfile=asked.key,
    )
