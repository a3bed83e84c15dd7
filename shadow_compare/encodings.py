"""Content encodings undone, within a room that a bomb cannot burst."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable, Mapping
from typing import Final

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


def _gzip(body: bytes, room: int) -> bytes:
    return _inflated(body, room, _GZIP_OR_ZLIB)


def _deflate(body: bytes, room: int) -> bytes:
    try:
        return _inflated(body, room, _GZIP_OR_ZLIB)
    except BrokenError:  # RFC 9110 section 8.4.1.2: some senders leave the zlib wrapper out
        return _inflated(body, room, _RAW_DEFLATE)


def _inflated(body: bytes, room: int, wbits: int) -> bytes:
    parts: list[bytes] = []
    rest = body
    while rest:  # gzip files may be strung together
        stream = zlib.decompressobj(wbits)
        try:
            part = stream.decompress(rest, room + 1)
        except zlib.error as error:
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
    parts: list[bytes] = []
    rest = body
    while rest:  # frames may be strung together (RFC 8878 section 3.1)
        stream = zstd.ZstdDecompressor(options=_ZSTD_OPTIONS)
        try:
            part = stream.decompress(rest, room + 1)
        except zstd.ZstdError as error:
            raise BrokenError from error
        room -= len(part)
        if room < 0:
            raise TooBigError
        if not stream.eof:
            raise BrokenError
        parts.append(part)
        rest = stream.unused_data
    return b"".join(parts)


DECODERS: Final[Mapping[str, Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
    "br": _brotli,
    "zstd": _zstandard,
}
