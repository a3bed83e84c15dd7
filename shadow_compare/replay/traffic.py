"""Recorded traffic in one or more files, read one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Final, Self

from shadow_compare.replay.reading import FORMATS, chunk_for, format_of
from shadow_compare.replay.recorded import Item

_START: Final = 4096


class Traffic:
    """Opens each file when it is its turn; `name` is the one being read. Raises OSError."""

    def __init__(self, files: Sequence[Path], kind: str | None = None) -> None:
        self._files = files
        self._kind = kind
        self._sizes = [file.stat().st_size for file in files]
        self._stream: BinaryIO | None = None
        self._behind = 0
        self.name = ""

    @property
    def size(self) -> int:
        """Bytes of all files, as they were at first."""
        return sum(self._sizes)

    @property
    def position(self) -> int:
        """Bytes that have been read."""
        return self._behind + (0 if self._stream is None else self._stream.tell())

    def __iter__(self) -> Iterator[Item]:
        for file, size in zip(self._files, self._sizes, strict=True):
            self.name = file.name
            with file.open("rb") as stream:
                self._stream = stream
                kind = self._kind or format_of(stream.read(_START))
                stream.seek(0)
                yield from FORMATS[kind](stream, chunk_for(size))
                self._stream = None
            self._behind += size

    def close(self) -> None:
        """Close what is open, when not all was read."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def files_of(paths: Sequence[Path]) -> list[Path]:
    """Give files, and those of folders that are recordings, in order of their names.

    Raises ValueError for a folder without any.
    """
    found: list[Path] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(path.glob("*.gor"))
            if not inside:
                raise ValueError(f"{path}: has no recordings (*.gor)")
            found += inside
        else:
            found.append(path)
    return found
