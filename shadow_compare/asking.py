"""Putting a captured request to a side, with a pool, limits and deadlines of its own."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

from shadow_compare.capture import Capture, Headers
from shadow_compare.config import ShadowSettings, SideConfig
from shadow_compare.contract import (
    ACKNOWLEDGEMENT,
    MARK,
    mark,
    mark_of_read,
    read_acknowledgement,
)
from shadow_compare.normalize import Answer, NotAcknowledgedError, NotAskedError, NotComparableError
from shadow_compare.refusals import Refusals
from shadow_compare.traced import FIELD as TRACE
from shadow_compare.traced import Asked, Tell, Trace, trace_of
from shadow_compare.transport import BrokenError, Origin, SparedError, Transport, UnreachableError

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

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods by which nothing changes (RFC 9110 section 9.2.1); nobody mirrors TRACE."""

_FORBIDDEN: Final = "\r\n\0"
_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Seal:
    """By which key and id a write is marked and acknowledged, at which Unix time in seconds."""

    key: bytes = field(repr=False)
    id: str
    at: int

    def mark(self, capture: Capture) -> str:
        """Write the mark of this request."""
        method, target, body = capture.method, capture.target, capture.request_body
        return mark(self.key, method, target, body, at=self.at, identifier=self.id)


class Asker:
    """Asks one side; no more than `settings.concurrency` requests are under way at once.

    `tell`, if anybody wants to know, hears of every request that repeats a traced exchange.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        monotonic: Callable[[], float],
        name: str = "",
        tell: Tell | None = None,
    ) -> None:
        self._name = name
        self._tell = tell
        self._deadline = settings.deadline
        self._monotonic = monotonic
        self._free = asyncio.Semaphore(settings.concurrency)
        self._turn = itertools.count()
        refusals = Refusals() if settings.spares_refusing else None
        self._transport = Transport(
            settings.body_max, settings.connect_timeout, monotonic, refusals
        )
        self._marks_reads = settings.marks_reads

    async def ask(self, capture: Capture, side: SideConfig | None) -> tuple[Answer, float]:
        """Repeat the captured request here; gives the answer and its latency in seconds.

        What might change something is sent once at most. Raises NotComparableError:
        candidate_unreachable, candidate_broken, timeout, bad_request.
        """
        origin, host = self._next(side)
        said = mark_of_read(capture.id) if self._marks_reads else None
        trace = self._begin(capture)
        request = request_bytes(capture, host, said, trace)
        fresh = capture.method not in SAFE
        try:
            return await self._exchange(origin, capture, request, trace, fresh=fresh)
        except BrokenError as error:
            raise NotComparableError("candidate_broken") from error
        except TimeoutError as error:
            raise NotComparableError("timeout") from error

    async def ask_to_write(
        self, capture: Capture, side: SideConfig | None, seal: Seal
    ) -> tuple[Answer, float]:
        """Put a write here, once and on a fresh connection, and have it acknowledged.

        Raises NotComparableError when nothing was sent, and NotAcknowledgedError when it may have
        been carried out for real.
        """
        origin, host = self._next(side)
        capture = replace(capture, request_headers=_plainly(capture.request_headers))
        trace = self._begin(capture)
        request = request_bytes(capture, host, seal.mark(capture), trace)
        try:
            answer, latency = await self._exchange(origin, capture, request, trace, fresh=True)
        except BrokenError as error:
            raise NotAcknowledgedError(f"its answer never came: {error}") from error
        except TimeoutError as error:
            raise NotAcknowledgedError("it has not answered in time") from error
        return acknowledged(answer, seal), latency

    def _next(self, side: SideConfig | None) -> tuple[Origin, str | None]:
        """Give the instance whose turn it is, and the Host it is asked for if not the client's."""
        if side is None or not side.instances:
            raise NotComparableError("candidate_unreachable")
        base = side.instances[next(self._turn) % len(side.instances)]
        origin = _origin(base, side.tls, side.server_name)
        if self._transport.spares(origin):
            raise NotAskedError
        return origin, side.host

    async def _exchange(
        self, origin: Origin, capture: Capture, request: bytes, trace: Trace | None, *, fresh: bool
    ) -> tuple[Answer, float]:
        async with self._free:
            started, status, error = self._monotonic(), 0, "reset"
            try:
                async with asyncio.timeout(self._deadline):
                    answer = await self._transport.exchange(
                        origin, request, is_head=capture.method == "HEAD", fresh=fresh
                    )
                status, error = answer.status, ""
            except TimeoutError:
                error = "timeout"
                raise
            except SparedError as spared:
                error = "connect"
                raise NotAskedError from spared
            except UnreachableError as unreachable:
                error = "connect"
                raise NotComparableError("candidate_unreachable") from unreachable
            finally:
                seconds = self._monotonic() - started
                if trace is not None:
                    self._end(trace, origin, capture, seconds, status, error)
            return answer, seconds

    def _begin(self, capture: Capture) -> Trace | None:
        """Begin a trace, if this repeats a traced exchange and anybody wants to know."""
        return None if self._tell is None else trace_of(capture)

    def _end(
        self,
        trace: Trace,
        origin: Origin,
        capture: Capture,
        seconds: float,
        status: int,
        error: str,
    ) -> None:
        """Tell of a second request that has ended."""
        if self._tell is not None:
            self._tell(
                Asked(
                    trace=trace,
                    side=self._name,
                    route=capture.route,
                    method=capture.method,
                    target=capture.target,
                    host=origin.host,
                    port=origin.port,
                    version=capture.version,
                    seconds=seconds,
                    status=status,
                    error=error,
                )
            )

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


def write_id(capture: Capture) -> str:
    """Give the id of a mirrored write: the same each time that this capture comes, and no other's.

    The request's own id would not do: a trusted peer may use one twice.
    """
    known = repr((capture.at, capture.latency, capture.method, capture.target)).encode()
    digest = hashlib.blake2b(known + b"\n" + capture.request_body, digest_size=8).hexdigest()
    return f"{capture.id}.{digest}"


def acknowledged(answer: Answer, seal: Seal) -> Answer:
    """Give the answer without its acknowledgement; raises NotAcknowledgedError without a good one.

    An answer that the application did not keep comes back as one that was cut off.
    """
    said = [value for name, value in answer.headers if name == ACKNOWLEDGEMENT]
    if not said:
        raise NotAcknowledgedError(f"its answer ({answer.status}) has no {ACKNOWLEDGEMENT}")
    read = read_acknowledgement(said[0]) if len(said) == 1 else None
    cut_off = answer.truncated and not (read is not None and read.omitted)
    if read is None or cut_off or not read.is_by(seal.key, seal.id, answer.status, answer.body):
        why = f"the {ACKNOWLEDGEMENT} of its answer ({answer.status}) is wrong"
        raise NotAcknowledgedError(why)
    headers = tuple(pair for pair in answer.headers if pair[0] != ACKNOWLEDGEMENT)
    return Answer(answer.status, headers, answer.body, read.omitted)


def _plainly(headers: Headers) -> Headers:
    """Ask for no content coding: what packs the answer on its way would break its signature."""
    return tuple(pair for pair in headers if pair[0] != "accept-encoding")


def request_bytes(
    capture: Capture, host: str | None, said: str | None, trace: Trace | None = None
) -> bytes:
    """Write the mirrored request; the target as the client wrote it, escapes and dots included.

    `said` is its mark, `trace` its trace, if it has one. Raises NotComparableError (bad_request)
    for what would not be one request.
    """
    headers = mirrored_headers(capture, host, said)
    if trace is not None:
        headers = (*headers, (TRACE, trace.context))
    if capture.request_body or capture.method in _WITH_LENGTH:
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


def mirrored_headers(capture: Capture, host: str | None, said: str | None) -> Headers:
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
        and name.replace("_", "-").replace(".", "-") != MARK  # PHP cannot tell them apart
    )
    return (
        ("host", host or client_host or "localhost"),
        *kept,
        # What an answer says of scheme and host depends on it. The trace is the client's own.
        *(pair for pair in capture.provenance if pair[0] != TRACE),
        ("x-request-id", capture.id),
        *(() if said is None else ((MARK, said),)),
    )
