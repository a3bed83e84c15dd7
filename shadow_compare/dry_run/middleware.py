"""ASGI middleware: carries mirrored writes out without effect, and acknowledges that it did.

It stands outermost, so that the answer it signs is the one that leaves. A request without a mark
passes untouched. A request with one is run only when the mark is genuine, recent and new; else it
is refused, and nothing runs.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any, Final
from urllib.parse import quote

from shadow_compare.contract import (
    ACKNOWLEDGEMENT,
    KEY_LEAST,
    MARK,
    WINDOW,
    Mark,
    acknowledgement,
    read_mark,
)
from shadow_compare.dry_run.replays import Replays
from shadow_compare.dry_run.run import DryRun, inside

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
RawHeaders = list[tuple[bytes, bytes]]

BODY_MAX: Final = 4 * 1024 * 1024
"""Bytes of the largest mirrored request; the proxy sends none that is larger."""

ANSWER_MAX: Final = 1024 * 1024
"""Bytes of the longest answer that is kept; a longer one is acknowledged without its body."""

_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_NAME: Final = MARK.encode()
_CONTENT_LENGTH: Final = b"content-length"

_log = logging.getLogger("cutover.dry_run")


class RefusedError(Exception):
    """A marked request is not carried out; with the status and the reason that are answered."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


class DryRunMiddleware:
    """Runs `app` for real, or in a dry run when the proxy asks for one.

    `key` is the proxy's, at least 32 bytes; without one every marked write is refused. `ended` is
    told of each dry run when it is over, for logs and tests.
    """

    def __init__(
        self,
        app: App,
        key: bytes | str | None,
        *,
        ended: Callable[[DryRun], None] | None = None,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self._app = app
        self._key = key.encode() if isinstance(key, str) else key
        if self._key is not None and len(self._key) < KEY_LEAST:
            raise ValueError(f"the key of mirrored writes has less than {KEY_LEAST} bytes")
        self._ended = ended
        self._wall = wall
        self._replays = Replays()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        marks = [value for name, value in scope["headers"] if name == _NAME]
        if not marks or _is_read(scope, marks):
            await self._app(scope, receive, send)
            return
        try:
            mark, key, body = await self._admit(scope, marks, receive)
        except RefusedError as error:
            _log.warning("a mirrored request was refused: %s", error.reason)
            await _refuse(send, error)
            return
        await self._run(scope, _Request(body, receive), send, mark, key)

    async def _admit(
        self, scope: Scope, marks: list[bytes], receive: Receive
    ) -> tuple[Mark, bytes, bytes]:
        """Give mark, key and body of a request that is to be carried out; raises RefusedError."""
        if self._key is None:
            raise RefusedError(403, "no key is configured")
        mark = read_mark(marks[0].decode("latin-1")) if len(marks) == 1 else None
        if mark is None or not mark.is_signed:
            raise RefusedError(400, "the mark is malformed")
        now = self._wall()
        if abs(now - mark.at) > WINDOW:
            raise RefusedError(403, "the mark has expired, or a clock is wrong")
        body = await _body(receive)
        if not mark.is_by(self._key, scope["method"], _target(scope), body):
            raise RefusedError(403, "the signature is wrong")
        # Last, so that only the holder of the key can fill the memory.
        if not self._replays.admit(mark.id, now, 2 * WINDOW):
            raise RefusedError(409, "this was carried out before")
        return mark, self._key, body

    async def _run(
        self, scope: Scope, request: _Request, send: Send, mark: Mark, key: bytes
    ) -> None:
        """Run the application without effect, and acknowledge when nothing is left of it."""
        run, answer = DryRun(mark.id), _Answer()
        with inside(run):
            try:
                # Without extensions: there is no other way out than the messages that are held.
                await self._app({**scope, "extensions": {}}, request, answer)
            except Exception:
                _log.exception("the application failed in a dry run")
                answer = _Answer()
            finally:
                await run.end()
        if self._ended is not None:
            self._ended(run)
        await answer.give(send, key, mark.id)


class _Request:
    """A `receive` that gives a body which has been read already."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        body, self._body = self._body, None
        if body is None:
            return await self._receive()  # that the client has left
        return {"type": "http.request", "body": body, "more_body": False}


class _Answer:
    """A `send` that holds the answer back; an application that gave none has failed."""

    def __init__(self) -> None:
        self._status = 500
        self._headers: RawHeaders = []
        self._parts: list[bytes] = []
        self._size = 0
        self._complete = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = [(bytes(name), bytes(value)) for name, value in message["headers"]]
        elif message["type"] == "http.response.body":
            part = message.get("body", b"")
            self._size += len(part)
            if self._size <= ANSWER_MAX:
                self._parts.append(part)
            self._complete = not message.get("more_body", False)

    async def give(self, send: Send, key: bytes, identifier: str) -> None:
        """Send it, acknowledged."""
        if not self._complete:
            self._status, self._headers, self._parts = 500, [], []
        omitted = self._size > ANSWER_MAX
        body = None if omitted else b"".join(self._parts)
        signed = acknowledgement(key, identifier, self._status, body)
        headers = [
            (name, value)
            for name, value in self._headers
            if not (omitted and name.lower() == _CONTENT_LENGTH)
        ]
        headers.append((ACKNOWLEDGEMENT.encode(), signed.encode()))
        await _send(send, self._status, headers, body or b"")


def _is_read(scope: Scope, marks: Iterable[bytes]) -> bool:
    """Whether this is a read, which the proxy marks without a signature, and which just runs."""
    read = (read_mark(value.decode("latin-1")) for value in marks)
    return scope["method"] in _SAFE and all(one is not None and not one.is_signed for one in read)


def _target(scope: Scope) -> str:
    """Give path and query as they came."""
    path: bytes = scope.get("raw_path") or quote(scope["path"]).encode()
    query: bytes = scope.get("query_string") or b""
    return (path + b"?" + query if query else path).decode("latin-1")


async def _body(receive: Receive) -> bytes:
    """Read the whole body; raises RefusedError for one that is too large, or has no end."""
    parts: list[bytes] = []
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            raise RefusedError(400, "the request has no end")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > BODY_MAX:
            raise RefusedError(413, "the request is too large")
        more = message.get("more_body", False)
    return b"".join(parts)


async def _refuse(send: Send, error: RefusedError) -> None:
    text = f"{MARK}: {error.reason}\n".encode()
    headers = [(b"content-type", b"text/plain"), (_CONTENT_LENGTH, b"%d" % len(text))]
    await _send(send, error.status, headers, text)


async def _send(send: Send, status: int, headers: RawHeaders, body: bytes) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
