"""A recorded request as it is sent to one side (pure)."""

from __future__ import annotations

from typing import Final

from shadow_compare.normalize import NotComparableError
from shadow_compare.replay.recorded import Recorded
from shadow_compare.transport import Origin

_NOT_SENT: Final = frozenset(
    {
        # RFC 9110 section 7.6.1: these belonged to the client's connection
        "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade", "expect",
        # set anew
        "host", "content-length",
        # validators of the time of recording: 304 against 200 is no difference
        "if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range",
    }
)  # fmt: skip


def wire(item: Recorded, origin: Origin) -> bytes:
    """Write a request; its Host is the side's own unless one is put in its place.

    Raises NotComparableError (bad_request) for what would not be one request.
    """
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    named = [("host", f"{host}:{origin.port}")]
    kept = [pair for pair in item.headers if pair[0] not in _NOT_SENT]
    if item.body or item.method in ("POST", "PUT", "PATCH"):
        kept.append(("content-length", str(len(item.body))))
    chosen = [pair for pair in item.headers if pair[0] == "host"]
    lines = [f"{item.method} {item.target} HTTP/1.1"]
    lines += [f"{name}: {value}" for name, value in (chosen[-1:] or named) + kept]
    try:
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + item.body
    except UnicodeEncodeError as error:
        raise NotComparableError("bad_request") from error
