"""Path patterns: literal segments, `{name}` for one segment, a last `*` for any rest.

`/api/users/{id}` takes `/api/users/17`; `/api/*` takes `/api/` and everything below it, not `/api`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")

SEGMENTS_MAX = 64
"""A pattern has at most so many segments; a table walks them by recursion."""

_LITERAL = re.compile(r"[A-Za-z0-9\-._~!$&'()+,;=:@]+")
_PARAMETER = re.compile(r"\{([a-z_][a-z0-9_]*)\}")

REST = "*"


def segments(pattern: str) -> tuple[str, ...]:
    """Split a pattern into its segments.

    Raises ValueError with the reason when it is not a pattern.
    """
    if not pattern.startswith("/"):
        raise ValueError("a path begins with `/`")
    parts = tuple(pattern[1:].split("/"))
    if len(parts) > SEGMENTS_MAX:
        raise ValueError(f"a path has at most {SEGMENTS_MAX} segments")
    names: set[str] = set()
    for index, part in enumerate(parts):
        last = index == len(parts) - 1
        if part == REST:
            if not last:
                raise ValueError("`*` stands only at the end of a path")
            continue
        if part == "" and last:
            continue
        parameter = _PARAMETER.fullmatch(part)
        if parameter:
            if parameter[1] in names:
                raise ValueError(f"`{part}` stands twice in the path")
            names.add(parameter[1])
        elif part in ("", ".", ".."):
            raise ValueError("a path has no empty, `.` or `..` segments")
        elif not _LITERAL.fullmatch(part):
            raise ValueError(f"segment `{part}` is neither plain text, `{{name}}`, nor a last `*`")
    return parts


def parameters(pattern: str) -> tuple[str, ...]:
    """Names of the pattern's `{name}` segments in order."""
    return tuple(_PARAMETER.findall(pattern))


def is_parameter(segment: str) -> bool:
    """Whether a pattern's segment stands for any one segment."""
    return segment.startswith("{")


class _Step(Generic[T]):
    """One segment of the patterns; `here` holds those that end in it, `rest` those that take on."""

    def __init__(self) -> None:
        self.literals: dict[str, _Step[T]] = {}
        self.parameter: _Step[T] | None = None
        self.here: list[T] = []
        self.rest: list[T] = []


class Patterns(Generic[T]):
    """Patterns with what they stand for, asked which of them take every path that another takes.

    A tree, as a document of 2,000 routes has two million pairs.
    """

    def __init__(self) -> None:
        self._root: _Step[T] = _Step()

    def add(self, parts: tuple[str, ...], value: T) -> None:
        """Add a pattern, as `segments` gave it."""
        step = self._root
        for part in parts:
            if part == REST:
                step.rest.append(value)
                return
            if is_parameter(part):
                step.parameter = step = step.parameter or _Step()
            else:
                step = step.literals.setdefault(part, _Step())
        step.here.append(value)

    def covering(self, parts: tuple[str, ...]) -> Iterator[T]:
        """Give the values of all patterns that take every path which this pattern takes."""
        steps = [self._root]
        for part in parts:
            for step in steps:
                yield from step.rest
            if part == REST:
                return
            found = [step.literals[part] for step in steps if part in step.literals]
            if part:
                found += [step.parameter for step in steps if step.parameter is not None]
            steps = found
        for step in steps:
            yield from step.here
