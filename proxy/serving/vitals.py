"""Signs of life in shared memory: what a supervisor can know of a child without asking it.

One row for each process of the family, made before the first fork and shared by all of them. A
whole number of eight bytes is written and read in one piece, so there is no lock. It survives the
death of whoever wrote it, needs no event loop to be read, and a child that hangs cannot fake it.
"""

from __future__ import annotations

import mmap
from typing import Final

BEATS, READY, RESTARTS, HANGS = range(4)
COLUMNS: Final = 4
CELL: Final = 8


class Pulse:
    """One row: how often the child's clock has ticked, whether it is ready, how often it died."""

    def __init__(self, cells: memoryview, row: int) -> None:
        self._cells = cells
        self._at = row * COLUMNS

    def beat(self) -> None:
        """Say, from within the child, that it is alive."""
        self._cells[self._at + BEATS] += 1

    def is_ready(self) -> None:
        """Say, from within the child, that it does what it is there for."""
        self._cells[self._at + READY] = 1

    def begin(self) -> None:
        """Forget the life before."""
        self._cells[self._at + BEATS] = self._cells[self._at + READY] = 0

    def count_restart(self) -> None:
        """Count that it had to be started again."""
        self._cells[self._at + RESTARTS] += 1

    def count_hang(self) -> None:
        """Count that it stood still and was ended."""
        self._cells[self._at + HANGS] += 1

    @property
    def beats(self) -> int:
        """How often it has said so."""
        return int(self._cells[self._at + BEATS])

    @property
    def ready(self) -> bool:
        """Whether it has said so in this life."""
        return bool(self._cells[self._at + READY])

    @property
    def restarts(self) -> int:
        """How often it had to be started again since the supervisor was."""
        return int(self._cells[self._at + RESTARTS])

    @property
    def hangs(self) -> int:
        """How often it stood still and was ended since the supervisor was started."""
        return int(self._cells[self._at + HANGS])


def pulses(count: int) -> list[Pulse]:
    """Give the rows of a new family."""
    memory = mmap.mmap(-1, max(1, count) * COLUMNS * CELL)
    cells = memoryview(memory).cast("Q")
    return [Pulse(cells, row) for row in range(count)]
