"""Request targets: which resource is meant, in one spelling, or a refusal.

Routing looks at the normal path and the upstream receives that same spelling, so that the two can
never disagree about what was asked.
"""

from __future__ import annotations

import re
from typing import Final

from proxy.wire.errors import RequestError
from proxy.wire.grammar import (
    ABSOLUTE_FORM,
    BROKEN_LINE,
    HIDDEN,
    HOST,
    NORMAL_PATH,
    OVERLONG,
    PATH,
    PLAIN_REQUEST_LINE,
    QUERY,
    REQUEST_LINE,
)

TARGET_MAX: Final = 8192
LINE_MAX: Final = TARGET_MAX + 64
"""Bytes of a request target, and of a request line with everything around it."""

_METHODS: Final = {
    name.encode(): name for name in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
}
IDEMPOTENT: Final = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE"})  # RFC 9110, 9.2.2

_UNRESERVED: Final = frozenset(  # RFC 3986, 2.3
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
)
_PERCENT: Final = re.compile(rb"%([0-9A-Fa-f]{2})")


class RequestLine:
    """A request line understood.

    `path` is normal, `target` is what the upstream receives, `authority` is set for absolute-form.
    """

    __slots__ = ("authority", "method", "minor", "path", "target")

    def __init__(
        self, method: str, path: str, target: bytes, minor: int, authority: bytes | None = None
    ) -> None:
        self.method: Final = method
        self.path: Final = path
        self.target: Final = target
        self.minor: Final = minor
        self.authority: Final = authority


def read_request_line(line: bytes) -> RequestLine:
    """Understand a request line; raises RequestError with the status to answer."""
    found = PLAIN_REQUEST_LINE.fullmatch(line)
    if found is not None and len(line) <= TARGET_MAX:
        method, path, query, minor = found.groups()
        text = path.decode("ascii")
        if "//" not in text and "/." not in text:
            target = path if query is None else path + query
            return RequestLine(_METHODS[method], text, target, 1 if minor == b"1" else 0)
    return read_any_request_line(line)


def read_any_request_line(line: bytes) -> RequestLine:
    """Do the same step by step: for what is not plain, and for the proper refusal."""
    if len(line) > LINE_MAX:
        raise too_long(line)
    found = REQUEST_LINE.fullmatch(line)
    if found is None:
        raise RequestError(400, "malformed request line")
    method, target, major, minor = found.groups()
    if major != b"1" or minor not in b"01":
        raise RequestError(505, "only HTTP/1.0 and HTTP/1.1 are spoken here")
    if len(target) > TARGET_MAX:
        raise RequestError(414, "the request target is too long")
    if method in (b"CONNECT", b"TRACE"):
        raise RequestError(405, f"{method.decode()} is not allowed")
    if method not in _METHODS:
        raise RequestError(501, "unknown method")
    return _resolve(_METHODS[method], target, int(minor))


def too_long(line: bytes) -> RequestError:
    """Refuse a request line of more than LINE_MAX bytes, whether or not its end has been seen."""
    if BROKEN_LINE.search(line, 0, LINE_MAX + 2):
        return RequestError(400, "malformed request line")
    return RequestError(414, "the request target is too long")


def _resolve(method: str, target: bytes, minor: int) -> RequestLine:
    if target == b"*":
        if method != "OPTIONS":
            raise RequestError(400, "`*` goes with OPTIONS only")
        return RequestLine(method, "*", target, minor)
    authority = None
    if not target.startswith(b"/"):
        found = ABSOLUTE_FORM.fullmatch(target)
        if found is None or HOST.fullmatch(found[1]) is None:
            raise RequestError(400, "malformed request target")
        authority = found[1]
        target = (found[2] or b"/") + (found[3] or b"")
    raw_path, mark, query = target.partition(b"?")
    if mark and QUERY.fullmatch(mark + query) is None:
        raise RequestError(400, "malformed query")
    path = normal_path(raw_path)
    return RequestLine(method, path.decode("ascii"), path + mark + query, minor, authority)


def normal_path(path: bytes) -> bytes:
    """Give the one spelling of a path (RFC 3986, 6.2.2); raises RequestError.

    Unreserved characters are decoded, hex digits upper case, empty and dot segments resolved.
    Spellings that servers are known to disagree about are refused: an encoded slash, backslash or
    NUL, encoded dot segments, `..;`, overlong UTF-8, and a path that climbs above the root.
    """
    if NORMAL_PATH.fullmatch(path):
        return path
    if PATH.fullmatch(path) is None:
        raise RequestError(400, "malformed path")
    if HIDDEN.search(path) or OVERLONG.search(path):
        raise RequestError(400, "the path hides a separator or is not UTF-8")
    dotted = _dot_segments(path)
    path = _PERCENT.sub(_decode_unreserved, path)
    if _dot_segments(path) != dotted:
        raise RequestError(400, "the path hides a dot segment")
    return _resolve_dots(path)


def _dot_segments(path: bytes) -> int:
    return sum(segment.split(b";")[0] in (b".", b"..") for segment in path.split(b"/"))


def _decode_unreserved(found: re.Match[bytes]) -> bytes:
    code = int(found[1], 16)
    return bytes((code,)) if code in _UNRESERVED else b"%" + found[1].upper()


def _resolve_dots(path: bytes) -> bytes:
    kept: list[bytes] = []
    segments = path.split(b"/")[1:]
    for segment in segments:
        if segment.split(b";")[0] in (b".", b"..") and b";" in segment:
            raise RequestError(400, "a dot segment with parameters")
        if segment == b"..":
            if not kept:
                raise RequestError(400, "the path climbs above the root")
            kept.pop()
        elif segment not in (b"", b"."):
            kept.append(segment)
    tail = b"/" if kept and segments[-1] in (b"", b".", b"..") else b""
    return b"/" + b"/".join(kept) + tail
