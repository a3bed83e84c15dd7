"""Content encodings undone, within a room that a bomb cannot burst."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import brotli

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_GZIP_OR_ZLIB = 32 + zlib.MAX_WBITS
_RAW_DEFLATE = -zlib.MAX_WBITS
_ZSTD_OPTIONS: Final[Mapping[int, int]] = {zstd.DecompressionParameter.window_log_max: 23}
"""8 MiB, more than which no sender may ask of a receiver (RFC 9659 section 3)."""


class BrokenError(Exception):
    """The bytes are not of this encoding, or not complete."""


class TooBigError(Exception):
    """What comes out does not fit."""


Decoder = Callable[[bytes, int], bytes]
"""Undo an encoding, giving at most so many bytes; raises BrokenError and TooBigError."""


class _Stream(Protocol):
    """What zlib and zstd call a decompressor."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _gzip(body: bytes, room: int) -> bytes:
    return _inflated(body, room, _GZIP_OR_ZLIB)


def _deflate(body: bytes, room: int) -> bytes:
    try:
        return _inflated(body, room, _GZIP_OR_ZLIB)
    except BrokenError:  # RFC 9110 section 8.4.1.2: some senders leave the zlib wrapper out
        return _inflated(body, room, _RAW_DEFLATE)


def _inflated(body: bytes, room: int, wbits: int) -> bytes:
    return _strung(body, room, lambda: zlib.decompressobj(wbits), zlib.error)


def _strung(body: bytes, room: int, begin: Callable[[], _Stream], broken: type[Exception]) -> bytes:
    """Decode members or frames that are strung together (RFC 1952, 2.2; RFC 8878, 3.1)."""
    parts: list[bytes] = []
    rest = body
    while rest:
        stream = begin()
        try:
            part = stream.decompress(rest, room + 1)
        except broken as error:
            raise BrokenError from error
        room -= len(part)
        if room < 0:
            raise TooBigError
        if not stream.eof:
            raise BrokenError
        parts.append(part)
        rest = stream.unused_data
    return b"".join(parts)


def _brotli(body: bytes, room: int) -> bytes:
    stream = brotli.Decompressor()
    parts: list[bytes] = []
    rest = body
    try:
        while not stream.is_finished():
            part = stream.process(rest, output_buffer_limit=room + 1)
            rest = b""
            room -= len(part)
            if room < 0:
                raise TooBigError
            if not part and not stream.is_finished() and stream.can_accept_more_data():
                raise BrokenError  # it waits for bytes that there are none of
            parts.append(part)
    except brotli.error as error:
        raise BrokenError from error
    return b"".join(parts)


def _zstandard(body: bytes, room: int) -> bytes:
    return _strung(body, room, lambda: zstd.ZstdDecompressor(options=_ZSTD_OPTIONS), zstd.ZstdError)


DECODERS: Final[Mapping[str, Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstandard,
}
