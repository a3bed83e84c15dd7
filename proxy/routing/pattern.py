"""Path patterns: literal segments, `{name}` for one segment, a last `*` for any rest.

`/api/users/{id}` takes `/api/users/17`; `/api/*` takes `/api/` and everything below it, not `/api`.
"""

from __future__ import annotations

import re

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


def covers(wide: tuple[str, ...], narrow: tuple[str, ...]) -> bool:
    """Whether every path that `narrow` takes is also taken by `wide`."""
    for index, part in enumerate(wide):
        if part == REST:
            return len(narrow) > index
        if index >= len(narrow) or narrow[index] == REST:
            return False
        if is_parameter(part):
            if narrow[index] == "":
                return False
        elif part != narrow[index]:
            return False
    return len(wide) == len(narrow)
