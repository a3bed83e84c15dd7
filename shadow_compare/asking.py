"""Putting a captured request to a side, with a pool, limits and deadlines of its own."""

from __future__ import annotations

import asyncio
import itertools
import ssl
from collections.abc import Callable
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from shadow_compare.capture import Capture, Headers
from shadow_compare.config import ShadowSettings, SideConfig
from shadow_compare.normalize import Answer, NotComparableError
from shadow_compare.transport import BrokenError, Origin, Transport, UnreachableError

SHADOW_HEADER: Final = "cutover-shadow"

_NOT_SENT: Final = frozenset(
    {
        # RFC 9110 section 7.6.1: these belong to the client's connection
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "expect",
        # set anew
        "host", "content-length", "x-request-id",
        # one side's validators mean nothing to the other: 304 against 200 is no difference
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
    }
)  # fmt: skip

_FORBIDDEN: Final = "\r\n\0"


class Asker:
    """Asks one side; no more than `settings.concurrency` requests are under way at once."""

    def __init__(self, settings: ShadowSettings, monotonic: Callable[[], float]) -> None:
        self._deadline = settings.deadline
        self._monotonic = monotonic
        self._free = asyncio.Semaphore(settings.concurrency)
        self._turn = itertools.count()
        self._transport = Transport(settings.body_max, settings.connect_timeout, monotonic)

    async def ask(self, capture: Capture, side: SideConfig | None) -> tuple[Answer, float]:
        """Repeat the captured request here; gives the answer and its latency in seconds.

        Raises NotComparableError: candidate_unreachable, candidate_broken, timeout, bad_request.
        """
        if side is None or not side.instances:
            raise NotComparableError("candidate_unreachable")
        base = side.instances[next(self._turn) % len(side.instances)]
        origin = _origin(base, side.tls, side.server_name)
        request = request_bytes(capture, side.host)
        async with self._free:
            started = self._monotonic()
            try:
                async with asyncio.timeout(self._deadline):
                    answer = await self._transport.exchange(
                        origin, request, is_head=capture.method == "HEAD"
                    )
            except UnreachableError as error:
                raise NotComparableError("candidate_unreachable") from error
            except BrokenError as error:
                raise NotComparableError("candidate_broken") from error
            except TimeoutError as error:
                raise NotComparableError("timeout") from error
            return answer, self._monotonic() - started

    def close(self) -> None:
        """Close every connection."""
        self._transport.close()


@lru_cache(maxsize=64)
def _origin(base: str, tls: ssl.SSLContext | None, server_name: str) -> Origin:
    """Read a base URL. One with https and no `tls` to verify it with is a mistake of the caller."""
    parts = urlsplit(base)
    host = parts.hostname or ""
    if parts.scheme != "https":
        return Origin(host, parts.port or 80)
    if tls is None:
        raise ValueError(f"there is nothing to verify {base} with")
    return Origin(host, parts.port or 443, tls, server_name or host.rstrip("."))


def request_bytes(capture: Capture, host: str | None) -> bytes:
    """Write the mirrored request; the target as the client wrote it, escapes and dots included.

    Raises NotComparableError (bad_request) for what would not be one request.
    """
    headers = mirrored_headers(capture, host)
    if capture.request_body:
        headers = (*headers, ("content-length", str(len(capture.request_body))))
    texts = [capture.method, capture.target, *(text for header in headers for text in header)]
    joined = "".join(texts)
    if " " in capture.target or any(character in joined for character in _FORBIDDEN):
        raise NotComparableError("bad_request")
    lines = [f"{capture.method} {capture.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in headers]
    try:
        head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    except UnicodeEncodeError as error:
        raise NotComparableError("bad_request") from error
    return head + capture.request_body


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
        *capture.provenance,  # what an answer says of scheme and host depends on it
        ("x-request-id", capture.id),
        (SHADOW_HEADER, f"v1;id={capture.id}"),
    )
