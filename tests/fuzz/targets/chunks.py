"""Chunked bodies: a plain second reading of RFC 9112, 7.1 must come to the same payload."""

from __future__ import annotations

import re
from typing import Final

from proxy.wire.chunked import TRAILER_MAX, ChunkedReader, chunk
from proxy.wire.errors import WireError
from tests.fuzz.splits import splits
from tests.support_wire import Pieces

_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]{0,256})?")
_TRAILER: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")

Read = tuple[bytes, bool, bytes | None]
"""Payload, whether it was refused, and what lies beyond its end; None when that has not come."""


def one(data: bytes) -> None:
    """Decode in several splits, decode by the reference, encode and decode again."""
    told = decoded([data])
    for pieces in splits(data):
        again = decoded(pieces)
        assert again == told, "the verdict depends on the split"
    payload, refused, beyond = told
    expected, verdict, rest = reference(data)
    if verdict is None:  # unfinished: it may already be known that it cannot be mended
        assert beyond is None
        assert payload == expected
    else:
        assert (payload, refused, beyond) == (expected, verdict, rest)
    if beyond is not None and payload:
        assert decoded([chunk(payload) + b"0\r\n\r\n" + beyond]) == told


def decoded(pieces: Pieces) -> Read:
    """Read a body that arrives in these pieces."""
    reader, buffer, payload = ChunkedReader(), b"", b""
    try:
        for piece in pieces:
            buffer += piece
            while buffer and not reader.done:
                data, buffer = reader.take(buffer)
                payload += data
                if not data:
                    break
            assert reader.done or len(buffer) <= TRAILER_MAX + 2, "the buffer grows"
    except WireError:
        return payload, True, None
    return payload, False, buffer if reader.done else None


def reference(data: bytes) -> tuple[bytes, bool | None, bytes | None]:
    """Give payload, whether it is refused (None: unfinished), and what lies beyond the end."""
    payload, trailer = b"", 0
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return payload, None, None
        found = _SIZE.fullmatch(line)
        if found is None:
            return payload, True, None
        size = int(found[1], 16)
        if not size:
            break
        payload += data[:size]
        if len(data) < size + 2:
            return payload, None, None
        if data[size : size + 2] != b"\r\n":
            return payload, True, None
        data = data[size + 2 :]
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return payload, None, None
        if not line:
            return payload, False, data
        trailer += len(line) + 2
        if _TRAILER.fullmatch(line) is None or trailer > TRAILER_MAX:
            return payload, True, None
