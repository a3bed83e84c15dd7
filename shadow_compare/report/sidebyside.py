"""Two answers side by side: JSON laid out one value per line, each line knowing its path."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby, zip_longest
from typing import Any

from shadow_compare.report.inline import Parts, apart

LINES_MAX = 400
"""Longer answers are cut for display: aligning is quadratic, and nobody reads further."""
DEPTH_MAX = 64
"""Deeper JSON is shown as plain text."""
CONTEXT = 3
"""Equal lines kept around a difference when the rest is folded."""

Path = tuple[str | int, ...]
ANY = -1
"""Stands for every index in a differing path."""

_STEP = re.compile(
    r"\.(?P<name>[\w-]+)|\['(?P<quoted>[^'\]]+)'\]|\[(?P<index>\d+)\]"
    r"|\[(?P<aspect>order|length)\]|\[(?P<key>[^=\]]+)=(?P<value>[^\]]*)\]|(?P<any>\[\*\]|\.\*)"
)
"""One step of a path as a comparison writes it: `.price`, `[0]`, `[id=40]`, `[*]`, `[order]`."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a laid-out answer; `path` is None for text that is not JSON."""

    text: str
    path: Path | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One line of each side, None where that side has none.

    `kind` is `equal`, `spelling` (other characters, yet no difference under the route's rules),
    `different`, or `fold`: the equal rows `inside` are far from anything that differs.
    """

    kind: str
    left: Line | None = None
    right: Line | None = None
    inside: tuple[Row, ...] = ()

    @property
    def folded(self) -> int:
        """How many equal lines are left out."""
        return len(self.inside)

    @property
    def parts(self) -> tuple[Parts | None, Parts | None]:
        """Both lines, each as what it has in common with the other one and what not."""
        if self.left is None or self.right is None:
            return _alone(self.left), _alone(self.right)
        return apart(self.left.text, self.right.text)


def _alone(line: Line | None) -> Parts | None:
    if line is None:
        return None
    text = line.text.lstrip()
    return Parts(line.text[: len(line.text) - len(text)], text, "")


@dataclass(frozen=True, slots=True)
class SideBySide:
    """The aligned rows, and whether something was cut off at the end."""

    rows: tuple[Row, ...]
    cut: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """One body laid out: its lines, and its value for finding elements by key (None for text)."""

    lines: tuple[Line, ...]
    value: Any = None


class _Number(str):
    """A number as it was written: 9.90 must not be shown as 9.9."""

    __slots__ = ()


def side_by_side(left: str, right: str, differing: Iterable[str], *, whole: bool) -> SideBySide:
    """Align two bodies; `differing` are the paths of the real differences.

    Unless `whole`, runs of equal lines away from any difference are folded.
    """
    paths = tuple(dict.fromkeys(differing))
    a, b = lay_out(left), lay_out(right)
    marks = _Marker(a, paths), _Marker(b, paths)
    rows = list(_align(a.lines[:LINES_MAX], b.lines[:LINES_MAX], marks))
    cut = max(len(a.lines), len(b.lines)) > LINES_MAX
    return SideBySide(tuple(rows if whole else _fold(rows)), cut)


def lay_out(body: str) -> Answer:
    """Lay JSON out one value per line with its path; anything else line by line."""
    try:
        value = json.loads(body, parse_float=_Number, parse_int=_Number)
        return Answer(tuple(_lines(value, (), "", "")), value)
    except (ValueError, RecursionError):
        return Answer(tuple(Line(text) for text in body.splitlines()))


def _lines(value: Any, path: Path, label: str, comma: str) -> Iterator[Line]:
    """Lay out one value; raises RecursionError beyond `DEPTH_MAX`."""
    if len(path) > DEPTH_MAX:
        raise RecursionError
    margin = "  " * len(path)
    if not isinstance(value, dict | list) or not value:
        yield Line(margin + label + _scalar(value) + comma, path)
        return
    brackets = "{}" if isinstance(value, dict) else "[]"
    yield Line(margin + label + brackets[0], path)
    for index, (step, name, member) in enumerate(_members(value), start=1):
        yield from _lines(member, (*path, step), name, "," if index < len(value) else "")
    yield Line(margin + brackets[1] + comma, path)


def _members(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str | int, str, Any]]:
    """Steps, labels and values inside a container."""
    if isinstance(value, dict):
        for name, member in value.items():
            yield name, json.dumps(name, ensure_ascii=False) + ": ", member
    else:
        for index, element in enumerate(value):
            yield index, "", element


def _scalar(value: object) -> str:
    return str(value) if isinstance(value, _Number) else json.dumps(value, ensure_ascii=False)


class _Marker:
    """Whether a line of one answer stands at one of the differing paths, or below one."""

    def __init__(self, answer: Answer, paths: Iterable[str]) -> None:
        found = (_resolve(answer.value, path) for path in paths)
        self._paths = [path for path in found if path is not None]

    def __call__(self, line: Line | None) -> bool:
        """Text has no paths: each of its lines that is not equal is a difference."""
        if line is None:
            return False
        return line.path is None or any(_covers(path, line.path) for path in self._paths)


def _covers(above: Path, path: Path) -> bool:
    steps = zip(above, path, strict=False)
    return len(above) <= len(path) and all(want in (ANY, step) for want, step in steps)


def _resolve(value: Any, text: str) -> Path | None:
    """Turn a written path into steps of this very answer; None where it leads to nothing.

    `[id=40]` becomes the index of that element, which need not be the same on both sides. A changed
    length is no line of its own: the elements that are missing or added are.
    """
    if not text.startswith("$") or text.endswith("[length]"):
        return None
    path: list[str | int] = []
    for step in _STEP.finditer(text, 1):
        if step["aspect"]:
            break
        if step["any"]:
            path.append(ANY)
            value = None
        elif step["key"] is not None:
            index = _index_of(value, step["key"], step["value"])
            if index is None:
                return None
            path.append(index)
            value = value[index]
        else:
            at = int(step["index"]) if step["index"] else step["name"] or step["quoted"]
            path.append(at)
            value = _inside(value, at)
    return tuple(path)


def _index_of(value: object, key: str, wanted: str) -> int | None:
    """Find the element whose member `key` reads `wanted`."""
    elements = value if isinstance(value, list) else []
    named = (e.get(key) if isinstance(e, dict) else None for e in elements)
    return next(
        (i for i, name in enumerate(named) if name is not None and str(name) == wanted), None
    )


def _inside(value: Any, step: str | int) -> Any:
    try:
        return value[step]
    except (TypeError, LookupError):
        return None


Marks = tuple[_Marker, _Marker]


def _align(left: Sequence[Line], right: Sequence[Line], marks: Marks) -> Iterator[Row]:
    """Align by text first, so that an element more or less does not shift everything below it."""
    keys = [_content(line) for line in left], [_content(line) for line in right]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        pairs = zip(left[i1:i2], right[j1:j2], strict=False)
        if tag == "equal":
            yield from (Row("equal", a, b) for a, b in pairs)
        else:
            yield from _unequal(left[i1:i2], right[j1:j2], marks)


def _unequal(left: Sequence[Line], right: Sequence[Line], marks: Marks) -> Iterator[Row]:
    """Within a run that differs, put lines of the same path side by side; others stand alone."""
    keys = [line.path for line in left], [line.path for line in right]
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, *keys, autojunk=False).get_opcodes():
        is_text = all(line.path is None for line in (*left, *right))
        paired = tag == "equal" or is_text
        pairs: Iterable[tuple[Line | None, Line | None]]
        if paired:
            pairs = zip_longest(left[i1:i2], right[j1:j2])
        else:
            pairs = [*((a, None) for a in left[i1:i2]), *((None, b) for b in right[j1:j2])]
        for a, b in pairs:
            yield Row("different" if marks[0](a) or marks[1](b) else "spelling", a, b)


def _content(line: Line) -> str:
    """What counts of a line: a comma says only whether another element follows."""
    return line.text.removesuffix(",")


def _fold(rows: list[Row]) -> Iterator[Row]:
    """Leave out runs of equal lines that are further than `CONTEXT` from anything unequal."""
    near = {
        index + offset
        for index, row in enumerate(rows)
        if row.kind != "equal"
        for offset in range(-CONTEXT, CONTEXT + 1)
    }
    for shown, run in groupby(enumerate(rows), key=lambda pair: pair[0] in near):
        members = [row for _, row in run]
        if shown or len(members) == 1:
            yield from members
        else:
            yield Row("fold", inside=tuple(members))
