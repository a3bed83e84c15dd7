"""What every format of recorded traffic gives: requests, and what could not be read (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

SIZE_MAX: Final = 16 * 1024 * 1024
"""Bytes of one request in a file; a longer one is not read."""

_TOKEN: Final = frozenset(
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request; `place` is where it stands in its file: a line, or the number of an entry."""

    place: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Something that is no request, where it stands, and why."""

    place: int
    why: str


Item = Recorded | Unreadable


def request(
    place: int, method: str, url: str, headers: tuple[tuple[str, str], ...] = (), body: bytes = b""
) -> Item:
    """Give a request for a target or an absolute URL, if it can be one."""
    if not method or not set(method) <= _TOKEN or len(method) > 20:
        return Unreadable(place, "the method is not one")
    target = url
    if not url.startswith("/"):
        try:
            parts = urlsplit(url)
        except ValueError:
            return Unreadable(place, "the URL is not one")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return Unreadable(place, "the target is neither a path nor a URL")
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
    if not target.isascii() or not target.isprintable() or " " in target or len(target) > 65_536:
        return Unreadable(place, "the target has characters that no request line has")
    kept = tuple((n.lower(), v) for n, v in headers if _is_field(n, v))
    return Recorded(place, method, target, kept, body)


def _is_field(name: str, value: str) -> bool:
    """Whether a field can be sent; HTTP/2's own, as :authority, cannot."""
    return bool(name) and set(name) <= _TOKEN and not set("\r\n\0") & set(value)
