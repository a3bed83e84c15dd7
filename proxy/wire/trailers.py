"""Which trailers of an answer go on: what it announced, and what comes too late to change anything.

Many clients put trailers among the fields (RFC 9110, 6.5.1). So a name that frames, routes,
authenticates, or says what the content is never passes, nor does one of ours; and for what was not
announced nobody waits.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from proxy.wire.fields import HOP_BY_HOP, PROVENANCE, RESPONSE_FIELDS, folded
from proxy.wire.grammar import TOKEN

_NEVER: Final = (
    HOP_BY_HOP
    | PROVENANCE
    | frozenset(
        b"age authentication-info authorization cache-control cookie date expect expires host "
        b"location max-forwards pragma proxy range refresh retry-after set-cookie "
        b"strict-transport-security traceparent vary warning www-authenticate x-request-id".split()
    )
)
_NEVER_LED_BY: Final = (
    b"access-control-",
    b"content-",
    b"cutover-",
    b"if-",
    b"proxy-",
    b"sec-",
    b"x-accel-",
    b"x-forwarded-",
)
_ALL_THE_SAME: Final = frozenset({b"content-digest", b"content-md5"})
"""Digests of the content say nothing of how to read it, and are known only behind it (RFC 9530)."""


class Announced:
    """The names that an answer's Trailer field holds and that may pass; `line` names them anew."""

    __slots__ = ("_names", "line")

    def __init__(self, names: Iterable[bytes]) -> None:
        kept = {name.lower(): name for name in names if TOKEN.fullmatch(name) and may_trail(name)}
        self._names: Final = frozenset(kept)
        self.line: Final = b"Trailer: %b\r\n" % b", ".join(kept.values()) if kept else b""

    def pick(self, lines: Iterable[bytes]) -> bytes:
        """Write those of an answer's trailers that may pass, each with its CRLF."""
        fields = (RESPONSE_FIELDS[line] for line in lines)
        return b"".join(
            field.line + b"\r\n"
            for field in fields
            if field is not None and field.name in self._names
        )


def may_trail(name: bytes) -> bool:
    """Whether a field of this name may come behind the body."""
    # With `_` and `.` folded, as programs behind CGI would read it.
    plain = folded(name)
    if plain in _ALL_THE_SAME:
        return True
    return plain not in _NEVER and not plain.startswith(_NEVER_LED_BY)


def announced(values: Iterable[bytes]) -> Announced | None:
    """Read the values of all Trailer fields; None when nothing that may pass was announced."""
    names = [token.strip(b" \t") for value in values for token in value.split(b",")]
    found = Announced(names)
    return found if found.line else None
