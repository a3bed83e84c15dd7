"""The files of one recording that one process writes: bounded, rotated, and whole at any moment."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

FILE_MAX: Final = 32 * 1024 * 1024
"""Bytes of one file, after which another begins."""


class FullError(Exception):
    """There is no more room; the text says whose: `size` or `disk`."""


class Files:
    """Appends to `FOLDER/NAME-0001.gor` and further; `bytes_max` are of all of them together.

    Each piece is written at once: a process that is killed leaves whole ones.
    """

    def __init__(self, folder: Path, name: str, bytes_max: int, file_max: int = FILE_MAX) -> None:
        self._folder = folder
        self._name = name
        self._bytes_max = bytes_max
        self._file_max = file_max
        self._descriptor = -1
        self._size = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        earlier = sorted(folder.glob(f"{name}-*.gor"))
        self.written = sum(each.stat().st_size for each in earlier)
        self._number = len(earlier)

    def append(self, piece: bytes) -> None:
        """Write one piece; raises FullError, and then nothing of it stays."""
        if self.written + len(piece) > self._bytes_max:
            raise FullError("size")
        if self._descriptor < 0 or self._size + len(piece) > max(self._file_max, len(piece)):
            self._begin()
        try:
            done = os.write(self._descriptor, piece)
        except OSError as error:
            raise FullError("disk") from error
        if done < len(piece):  # the disk took a part of it
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise FullError("disk")
        self._size += done
        self.written += done

    def close(self) -> None:
        """Close what is open."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _begin(self) -> None:
        self.close()
        self._number += 1
        path = self._folder / f"{self._name}-{self._number:04}.gor"
        try:
            self._descriptor = os.open(
                path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND, 0o600
            )
        except OSError as error:
            raise FullError("disk") from error
        self._size = 0
