"""Putting a captured request to a side, with a pool, limits and deadlines of its own."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Final, cast

import httpx

from shadow_compare.capture import Capture, Headers
from shadow_compare.config import ShadowSettings, SideConfig
from shadow_compare.normalize import Answer, NotComparableError

SHADOW_HEADER: Final = "cutover-shadow"

_NOT_SENT: Final = frozenset(
    {
        # RFC 9110 section 7.6.1: these belong to the client's connection
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "expect",
        # set anew
        "host", "content-length",
        # one side's validators mean nothing to the other: 304 against 200 is no difference
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
    }
)  # fmt: skip

_KEEPALIVE: Final = 4.0
"""Seconds; below the 5 that Apache keeps an idle connection, so that it is not us who lose."""


class Asker:
    """Asks one side; no more than `settings.concurrency` requests are under way at once."""

    def __init__(self, settings: ShadowSettings, monotonic: Callable[[], float]) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._free = asyncio.Semaphore(settings.concurrency)
        self._turn = itertools.count()
        # The bare transport: a client would keep cookies and follow redirects.
        self._transport = httpx.AsyncHTTPTransport(
            trust_env=False,
            limits=httpx.Limits(
                max_connections=settings.concurrency,
                max_keepalive_connections=settings.concurrency,
                keepalive_expiry=_KEEPALIVE,
            ),
        )
        self._timeouts = httpx.Timeout(
            settings.deadline, connect=settings.connect_timeout
        ).as_dict()

    async def ask(self, capture: Capture, side: SideConfig | None) -> tuple[Answer, float]:
        """Repeat the captured request here; gives the answer and its latency in seconds.

        Raises NotComparableError: candidate_unreachable, candidate_broken, timeout.
        """
        if side is None or not side.instances:
            raise NotComparableError("candidate_unreachable")
        async with self._free:
            started = self._monotonic()
            try:
                async with asyncio.timeout(self._settings.deadline):
                    answer = await self._answer(capture, side)
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                raise NotComparableError("candidate_unreachable") from error
            except (httpx.TimeoutException, TimeoutError) as error:
                raise NotComparableError("timeout") from error
            except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
                raise NotComparableError("candidate_broken") from error
            return answer, self._monotonic() - started

    async def close(self) -> None:
        """Close every connection."""
        await self._transport.aclose()

    async def _answer(self, capture: Capture, side: SideConfig) -> Answer:
        request = self._request(capture, side)
        try:
            return await self._exchange(request)
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A kept connection may be closed just as it is used; asking again is safe for a GET.
            return await self._exchange(self._request(capture, side))

    def _request(self, capture: Capture, side: SideConfig) -> httpx.Request:
        base = side.instances[next(self._turn) % len(side.instances)]
        return httpx.Request(
            capture.method,
            base,
            headers=[
                (name.encode("latin-1"), value.encode("latin-1"))
                for name, value in mirrored_headers(capture, side.host)
            ],
            content=capture.request_body or None,
            # As the client wrote it: a URL class would normalize escapes and dots.
            extensions={"target": capture.target.encode("latin-1"), "timeout": self._timeouts},
        )

    async def _exchange(self, request: httpx.Request) -> Answer:
        response = await self._transport.handle_async_request(request)
        try:
            body, truncated = await self._body(response)
        finally:
            await response.aclose()
        headers = tuple(
            (name.decode("latin-1").lower(), value.decode("latin-1"))
            for name, value in response.headers.raw
        )
        return Answer(response.status_code, headers, body, truncated)

    async def _body(self, response: httpx.Response) -> tuple[bytes, bool]:
        parts: list[bytes] = []
        size = 0
        async with aclosing(cast("AsyncGenerator[bytes]", response.aiter_raw())) as chunks:
            async for chunk in chunks:
                parts.append(chunk)
                size += len(chunk)
                if size > self._settings.body_max:
                    return b"", True
        return b"".join(parts), False


def mirrored_headers(capture: Capture, host: str | None) -> Headers:
    """Give the headers of the mirrored request: the client's, marked, without its connection's."""
    named = {
        token.strip().lower()
        for name, value in capture.request_headers
        if name == "connection"
        for token in value.split(",")
    }
    client_host = next((value for name, value in capture.request_headers if name == "host"), "")
    kept = (
        (name, value)
        for name, value in capture.request_headers
        if name not in _NOT_SENT
        and name not in named
        and name.replace("_", "-") != SHADOW_HEADER  # CGI cannot tell the two spellings apart
    )
    return (
        ("host", host or client_host or "localhost"),
        *kept,
        (SHADOW_HEADER, f"v1;id={capture.id}"),
    )
