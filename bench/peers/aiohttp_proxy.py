"""A reverse proxy with aiohttp on both sides."""

from __future__ import annotations

import argparse
import asyncio
import logging
import multiprocessing
import uuid

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from bench.peers.common import HOP_BY_HOP, options, server_context


class Proxy:
    """Forwards every request to the origin, streaming."""

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._session: aiohttp.ClientSession

    async def start(self) -> None:
        """Make the one session that all requests share."""
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None, sock_read=30, sock_connect=30),
        )

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        async with self._session.request(
            request.method,
            URL(self._origin + request.raw_path, encoded=True),
            headers=_forwarded(request),
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        ) as answer:
            response = web.StreamResponse(status=answer.status, reason=answer.reason)
            for name, value in answer.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    response.headers.add(name, value)
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response


def _forwarded(request: web.BaseRequest) -> CIMultiDict[str]:
    fields = CIMultiDict(
        (name, value) for name, value in request.headers.items() if name.lower() not in HOP_BY_HOP
    )
    before = fields.get("X-Forwarded-For")
    peer = request.remote or ""
    fields["X-Forwarded-For"] = f"{before}, {peer}" if before else peer
    fields["X-Forwarded-Proto"] = request.scheme
    fields["X-Forwarded-Host"] = request.host
    fields["X-Request-Id"] = uuid.uuid4().hex
    return fields


async def serve(asked: argparse.Namespace) -> None:
    """Serve until the process is ended."""
    if asked.access_log:
        logging.basicConfig(filename=asked.access_log, level=logging.INFO)
    proxy = Proxy(asked.origin)
    await proxy.start()
    log = logging.getLogger("aiohttp.access") if asked.access_log else None
    runner = web.ServerRunner(web.Server(proxy.handle, access_log=log, keepalive_timeout=3600))
    await runner.setup()
    site = web.TCPSite(
        runner,
        "127.0.0.1",
        asked.port,
        ssl_context=server_context(asked.certificate, asked.key),
        backlog=4096,
        reuse_port=asked.workers > 1,
    )
    await site.start()
    await asyncio.Event().wait()


def run(asked: argparse.Namespace) -> None:
    """One worker's life."""
    uvloop.run(serve(asked))


if __name__ == "__main__":
    ASKED = options()
    for _ in range(ASKED.workers - 1):
        multiprocessing.get_context("spawn").Process(target=run, args=(ASKED,), daemon=True).start()
    run(ASKED)
