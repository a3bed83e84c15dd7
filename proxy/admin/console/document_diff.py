"""Two documents line by line: what was taken out, what was put in, and the lines around (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Final

from shadow_compare.report.inline import Parts, apart

CONTEXT: Final = 3
ROWS_MAX: Final = 2_000
"""Rows that are shown: a document that was replaced as a whole is read elsewhere."""


@dataclass(frozen=True, slots=True)
class Side:
    """A line of one of both: its number, and its text in three parts."""

    number: int
    parts: Parts


@dataclass(frozen=True, slots=True)
class Row:
    """A line of each side, None where that side has none. `kind` is `equal`, `changed` or `gap`."""

    kind: str
    old: Side | None = None
    new: Side | None = None


@dataclass(frozen=True, slots=True)
class DocumentDiff:
    """The rows, and how many lines were put in and taken out."""

    rows: tuple[Row, ...]
    added: int
    removed: int
    cut: bool


def document_diff(before: str, after: str) -> DocumentDiff:
    """Compare two documents."""
    old, new = before.splitlines(), after.splitlines()
    matcher = SequenceMatcher(None, old, new)
    rows: list[Row] = []
    added = removed = 0
    for place, group in enumerate(matcher.get_grouped_opcodes(CONTEXT)):
        if place or group[0][1]:
            rows.append(Row("gap"))
        for tag, i1, i2, j1, j2 in group:
            rows += _rows(tag, _numbered(old, i1, i2), _numbered(new, j1, j2))
            if tag != "equal":
                removed, added = removed + i2 - i1, added + j2 - j1
    return DocumentDiff(tuple(rows[:ROWS_MAX]), added, removed, len(rows) > ROWS_MAX)


def _numbered(lines: list[str], start: int, stop: int) -> list[tuple[int, str]]:
    return list(enumerate(lines[start:stop], start=start + 1))


def _rows(tag: str, old: list[tuple[int, str]], new: list[tuple[int, str]]) -> Iterator[Row]:
    kind = "equal" if tag == "equal" else "changed"
    for one, other in zip_longest(old, new):
        if one is None or other is None:
            yield Row(kind, one and _alone(*one), other and _alone(*other))
        elif kind == "equal":
            yield Row(kind, _alone(*one), _alone(*other))
        else:
            parts = apart(one[1], other[1])
            yield Row(kind, Side(one[0], parts[0]), Side(other[0], parts[1]))


def _alone(number: int, text: str) -> Side:
    return Side(number, Parts(text, "", ""))
