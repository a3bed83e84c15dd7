"""What every format of recorded traffic gives: requests, and what could not be read (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from shadow_compare.redact import is_redacted

SIZE_MAX: Final = 16 * 1024 * 1024
"""Bytes of one request in a file; a longer one is not read."""

_TARGET_MAX: Final = 65_536
_TOKEN: Final = frozenset(
    "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)
_SPACES: Final = " \t"


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request; `place` is where it stands in its file: a line, or the number of an entry."""

    place: int
    method: str
    target: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""

    @property
    def host(self) -> str:
        """Whom it was asked of, in lower case and without a port; empty if nobody knows."""
        named = next((value for name, value in self.headers if name == "host"), "")
        return urlsplit(f"//{named}").hostname or ""

    @property
    def is_redacted(self) -> bool:
        """Whether something was taken out of its target or body, without which it is another."""
        return is_redacted(self.target) or is_redacted(self.body.decode("latin-1"))

    @property
    def sendable_headers(self) -> tuple[tuple[str, str], ...]:
        """Its fields without those of which a part was taken out."""
        return tuple(pair for pair in self.headers if not is_redacted(pair[1]))


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
    kept = tuple((n.lower(), v.strip(_SPACES)) for n, v in headers if _is_field(n, v))
    target = url
    if not url.startswith("/"):
        try:
            parts = urlsplit(url)
        except ValueError:
            return Unreadable(place, "the URL is not one")
        if parts.scheme not in ("http", "https") or not parts.netloc:
            return Unreadable(place, "the target is neither a path nor a URL")
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        if not any(name == "host" for name, _ in kept):
            kept = (("host", parts.netloc.rpartition("@")[2]), *kept)
    if not target.isascii() or not target.isprintable() or " " in target:
        return Unreadable(place, "the target has characters that no request line has")
    if len(target) > _TARGET_MAX:
        return Unreadable(place, f"the target is longer than {_TARGET_MAX} characters")
    return Recorded(place, method, target, kept, body)


def _is_field(name: str, value: str) -> bool:
    """Whether a field can be sent; HTTP/2's own, as :authority, cannot."""
    return bool(name) and set(name) <= _TOKEN and not set("\r\n\0") & set(value)
