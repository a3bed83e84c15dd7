"""Text, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from shadow_compare.budget import check_pieces
from shadow_compare.formats.charset import text_of
from shadow_compare.formats.pieces import Manner, Pieces, compare_pieces
from shadow_compare.normalize import Answer
from shadow_compare.paths import Path
from shadow_compare.structure import Walk

ROOT: Final[Path] = ("text",)
LONG: Final = 400
"""Characters of a text beyond which only what surrounds the first change is shown."""
AROUND: Final = 120


def read_text(body: bytes, answer: Answer) -> list[str]:
    """Give the lines of a text; how they end, and whether the last one does, says nothing."""
    check_pieces(body, b"\n")
    text = text_of(body, answer)
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def compare_text(walk: Walk, old: list[str], new: list[str]) -> None:
    """Compare two texts."""
    compare_lines(walk, old, new, ROOT)


def compare_lines(walk: Walk, old: Sequence[str], new: Sequence[str], path: Path) -> None:
    """Compare lines; each is an element of the array at this path."""
    manner = Manner(lambda place: (*path, place), _compare_line)
    compare_pieces(walk, _pieces(old), _pieces(new), manner)


def _pieces(lines: Sequence[str]) -> Pieces:
    return Pieces([("line", line) for line in lines], list(range(len(lines))))


def _compare_line(walk: Walk, _slot: str, old: str, new: str, path: Path) -> None:
    walk.compare(*around_change(old, new), path)


def around_change(old: str, new: str) -> tuple[str, str]:
    """Give two texts that differ, or when they are long what surrounds their first difference."""
    if len(old) <= LONG and len(new) <= LONG:
        return old, new
    start = max(0, _shared(old, new) - AROUND // 4)
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    stop = start + AROUND
    return f"{'…' if start else ''}{text[start:stop]}{'…' if stop < len(text) else ''}"


def _shared(one: str, other: str) -> int:
    low, high = 0, min(len(one), len(other))
    while low < high:  # by halves, as slices compare at the speed of memory
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low
