"""Inputs from inputs: changes that know lines, numbers and what parsers disagree about."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from typing import Final

TOKENS: Final[tuple[bytes, ...]] = (
    b"GET / HTTP/1.1\r\n", b"POST /a HTTP/1.1\r\n", b"HEAD /m/@@ HTTP/1.1\r\n", b"HTTP/1.0",
    b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 204 \r\n", b"HTTP/1.1 304 \r\n", b"HTTP/1.1 103 \r\n",
    b"HTTP/1.1 100 \r\n", b"HTTP/1.1 101 \r\n", b"HTTP/1.1 500 \r\n", b"HTTP/1.0 200 OK\r\n",
    b"Host: h\r\n", b"Content-Length: 5\r\n", b"Content-Length: 0\r\n", b"content-length:5 \r\n",
    b"Transfer-Encoding: chunked\r\n", b"transfer-encoding:\tChunked\r\n",
    b"Expect: 100-continue\r\n", b"Connection: close\r\n", b"Connection: keep-alive\r\n",
    b"Connection: x-a, te\r\n",
    b"Connection: content-length\r\n", b"Upgrade: websocket\r\n", b"Connection: upgrade\r\n",
    b"Content_Length: 7\r\n", b"Transfer.Encoding: chunked\r\n", b"Keep-Alive: timeout=1\r\n",
    b"X-Forwarded-For: 10.0.0.1\r\n", b"X_Forwarded_For: 1\r\n", b"Forwarded: for=1\r\n",
    b"Cutover-Side: modern\r\n", b"Cutover_Side: modern\r\n", b"Proxy: x\r\n", b"A_B: 1\r\n",
    b"X-Request-Id: a\r\n", b"Cookie: PHPSESSID=1\r\n", b"Set-Cookie: a=b, c\r\n",
    b"Trailer: a\r\n", b"TE: trailers\r\n", b"Transfer-Encoding: gzip\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"0\r\n\r\n", b"5\r\nabcde\r\n", b"0\r\nT: 1\r\n\r\n", b"5;x=\"y\"\r\nabcde\r\n", b"\r\n\r\n",
    b"\r\n", b"\r", b"\n", b"\x00", b"\t", b" ", b":", b";", b",", b"%2e", b"%2F", b"%00", b"%5c",
    b"%C0%AF", b"..", b"//", b"/./", b"..;", b"?", b"#", b"*", b"http://h/", b"\x80", b"\xff", b"_",
    b"\x1e", b"\x1eu", b"\x1ew", b"\x1ec", b"\x1ea", b"\x1ex", b"\x1et", b"\x1ed", b"@@",
)  # fmt: skip
"""Words of HTTP and, behind 0x1e, of the scripts of the target `exchange`."""

RECORD: Final = b"\x1e"
"""What separates the steps of a script."""

_NUMBER: Final = re.compile(rb"[0-9A-Fa-f]+")
_NUMBERS: Final = (b"0", b"1", b"4", b"5", b"6", b"05", b"+5", b"0x5", b"5_0", b"ffffffffffffffff",
                   b"999999999999999999", b"65536", b"32768", b"8192")  # fmt: skip
_RUNS: Final = (2, 9, 100, 257, 8192, 33_000)

Change = Callable[[bytes, Sequence[bytes], random.Random], bytes]


def mutate(data: bytes, others: Sequence[bytes], chance: random.Random, largest: int) -> bytes:
    """Give an input made of this one, and perhaps of others, of at most `largest` bytes."""
    for _ in range(chance.choice((1, 1, 2, 3, 5))):
        data = chance.choice(_CHANGES)(data, others, chance)
    return data[:largest]


def _insert(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + chance.choice(TOKENS) + data[at:]


def _overwrite(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at, token = chance.randint(0, len(data)), chance.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _insert_line(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    """Put a token at the beginning of a line, where most of them mean something."""
    starts = [found.end() for found in re.finditer(rb"\r\n", data)] or [0]
    at = chance.choice(starts)
    return data[:at] + chance.choice(TOKENS) + data[at:]


def _flip(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + bytes((data[at] ^ (1 << chance.randrange(8)),)) + data[at + 1 :]


def _remove(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    at = chance.randint(0, len(data))
    return data[:at] + data[at + chance.choice((1, 1, 2, 4, 20)) :]


def _cut_off(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _number(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return data
    place = chance.choice(found)
    return data[: place.start()] + chance.choice(_NUMBERS) + data[place.end() :]


def _repeat(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    """Repeat one byte often: this is how limits are met."""
    if not data:
        return data
    at = chance.randrange(len(data))
    return data[:at] + data[at : at + 1] * chance.choice(_RUNS) + data[at:]


def _parts(data: bytes, _: Sequence[bytes], chance: random.Random) -> bytes:
    """Repeat, drop, or move a line or a step."""
    separator = RECORD if RECORD in data and chance.random() < 0.5 else b"\r\n"
    parts = data.split(separator)
    at = chance.randrange(len(parts))
    part = parts.pop(at)
    match chance.randrange(3):
        case 0:
            parts[at:at] = [part, part]
        case 1:
            parts.insert(chance.randint(0, len(parts)), part)
    return separator.join(parts)


def _splice(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    if not others:
        return data
    other = chance.choice(others)
    at = chance.randint(0, len(data))
    return data[:at] + other[chance.randint(0, len(other)) :]


def _append(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    return data + chance.choice(others) if others else data


_CHANGES: Final[tuple[Change, ...]] = (
    _insert, _insert, _insert_line, _insert_line, _overwrite, _flip, _remove, _cut_off, _number,
    _repeat, _parts, _parts, _splice, _append,
)  # fmt: skip
