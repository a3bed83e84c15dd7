"""Which format a file of recorded traffic has, and reading it in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import BinaryIO, Final

from shadow_compare.replay import access_log, goreplay, har, samples
from shadow_compare.replay.recorded import Item

CHUNK: Final = 256 * 1024
_CHUNK_LEAST: Final = 4096
_STEPS: Final = 100
LINE_MAX: Final = 256 * 1024

Reader = Callable[[BinaryIO, int], Iterator[Item]]
"""Reads a stream in pieces of so many bytes; where the format is one of lines, line by line."""


def chunk_for(size: int) -> int:
    """Give how much of a file of this size is read at once: so little that its progress shows."""
    return max(_CHUNK_LEAST, min(CHUNK, size // _STEPS))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Give lines; what is too long for one comes in several, which nobody takes for lines."""
    return iter(partial(stream.readline, LINE_MAX), b"")


def _chunked(read: Callable[[Iterable[bytes]], Iterator[Item]]) -> Reader:
    return lambda stream, chunk: read(iter(partial(stream.read, chunk), b""))


FORMATS: Final[Mapping[str, Reader]] = MappingProxyType(
    {
        "access-log": lambda stream, _chunk: access_log.read_lines(_lines(stream)),
        "goreplay": _chunked(goreplay.read_chunks),
        "har": _chunked(har.read_chunks),
        "samples": _chunked(samples.read_chunks),
    }
)


def format_of(start: bytes) -> str:
    """Tell the format by the first bytes of a file."""
    if start.lstrip().startswith(b"{"):
        return "har" if b'"log"' in start else "samples"
    first = start.partition(b"\n")[0].split(b" ")
    is_payload = len(first) in (3, 4) and first[0] in (b"1", b"2", b"3") and first[2].isdigit()
    return "goreplay" if is_payload else "access-log"
