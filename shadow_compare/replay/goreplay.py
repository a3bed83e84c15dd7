"""Files of GoReplay: payloads between lines of three monkeys (pure).

    1 ID TIMESTAMP [LATENCY] LF request-as-on-the-wire LF monkeys LF

1 is a request; 2 and 3 are answers, which are passed over. A body ends where its head says, and a
chunked one is put together (RFC 9112 section 7.1).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from shadow_compare.replay.recorded import SIZE_MAX, Item, Unreadable, request

SEPARATOR: Final = "\n🐵🙈🙉\n".encode()

_CHUNK: Final = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")


def read_chunks(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Read a file in pieces of any size."""
    place = 0
    for place, payload in enumerate(_payloads(chunks), start=1):
        if payload is None:
            yield Unreadable(place, f"is larger than {SIZE_MAX} bytes")
        elif (item := _item(place, payload)) is not None:
            yield item


def _payloads(chunks: Iterable[bytes]) -> Iterator[bytes | None]:
    """Cut at the separators; None for what is too large to be held."""
    buffer, too_large = b"", False
    for chunk in chunks:
        buffer += chunk
        *complete, buffer = buffer.split(SEPARATOR)
        for payload in complete:
            yield None if too_large or len(payload) > SIZE_MAX else payload
            too_large = False
        if len(buffer) > SIZE_MAX:
            buffer, too_large = buffer[-len(SEPARATOR) :], True
    if buffer.strip():
        yield None if too_large else buffer


def _item(place: int, payload: bytes) -> Item | None:
    meta, newline, raw = payload.partition(b"\n")
    kind = meta.split(b" ")[0]
    if not newline or kind not in (b"1", b"2", b"3"):
        return Unreadable(place, "does not begin as a payload of GoReplay")
    if kind != b"1":
        return None
    head, blank, body = raw.partition(b"\r\n\r\n")
    line, *fields = head.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if not blank or len(words) != 3 or not words[2].startswith("HTTP/"):
        return Unreadable(place, "holds no complete head of a request")
    pairs = (field.partition(":") for field in fields)
    headers = tuple((name.strip(), value.strip()) for name, _, value in pairs)
    framed = _framed(headers, body)
    if isinstance(framed, str):
        return Unreadable(place, framed)
    return request(place, words[0], words[1], headers, framed)


def _framed(headers: tuple[tuple[str, str], ...], rest: bytes) -> bytes | str:
    """Give the body among what follows the head, or else what is wrong with it."""
    lengths = [value for name, value in headers if name.lower() == "content-length"]
    codings = [value for name, value in headers if name.lower() == "transfer-encoding"]
    if codings:
        if len(codings) > 1 or codings[0].lower() != "chunked":
            return "has a transfer coding other than chunked"
        body = unchunked(rest)
        return "has chunks that are cut off, or none" if body is None else body
    if not lengths:
        return rest
    length = lengths[0]
    if len(set(lengths)) > 1 or not (length.isascii() and length.isdigit()) or len(length) > 12:
        return "has a Content-Length that is none"
    return rest[: int(length)] if len(rest) >= int(length) else "has a body that is cut off"


def unchunked(rest: bytes) -> bytes | None:
    """Put the chunks of a body together; None when they do not come to an end. Trailers go."""
    parts: list[bytes] = []
    position = 0
    while line := _CHUNK.match(rest, position):
        size, position = int(line[1], 16), line.end()
        if not size:
            return b"".join(parts)
        if rest[position + size : position + size + 2] != b"\r\n":
            return None
        parts.append(rest[position : position + size])
        position += size + 2
    return None
