"""The inputs to begin with: what was found and kept, and what the tables of the tests refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.hostile_requests import REFUSED_BODIES, REFUSED_HEADS

CORPUS: Final = Path(__file__).parent / "corpus"


def kept(target: str) -> list[Path]:
    """Give the files that are kept for a target, in order."""
    return sorted((CORPUS / target).iterdir())


def seeds(target: str) -> list[bytes]:
    """Give the inputs that a run begins with: the kept ones, and those of the tables."""
    return [path.read_bytes() for path in kept(target)] + list(_from_tables(target))


def _from_tables(target: str) -> Iterator[bytes]:
    for _, raw, _ in (*REFUSED_HEADS, *REFUSED_BODIES):
        head, _, body = raw.partition(b"\r\n\r\n")
        first, *lines = head.split(b"\r\n")
        match target:
            case "requests":
                yield raw
            case "chunks" if body:
                yield body
            case "paths" if first.count(b" ") == 2:
                yield first.split(b" ")[1]
            case "fields":
                yield from lines[:3]
                yield from (line.partition(b": ")[2] for line in lines[:3])
            case "exchange":
                yield b"c" + raw.replace(b"/l/x", b"/l/@@") + b"\x1ea\x1ew0answer"
