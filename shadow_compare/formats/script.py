"""Scripts within a page: what they assign as data, value by value; everything else line by line.

Server-side templates hand state to scripts as `var NAME = {...}`, and that is where tokens, ids and
times stand. Each such literal is compared as JSON under the name that it is assigned to.
"""

from __future__ import annotations

import json
import re
from typing import Final

from shadow_compare.formats.text import compare_lines
from shadow_compare.json_value import InvalidJsonError, Json, TooDeepError, parse_json
from shadow_compare.paths import Path
from shadow_compare.structure import Walk

_ASSIGNED: Final = re.compile(
    r"(?<![\w$.])(?:(?:var|let|const)[ \t]+)?(?P<name>[A-Za-z_$][\w$.]{0,80}+)[ \t]*=[ \t\r\n]*"
    r'(?=[{\["\d-]|true|false|null)'
)
_FAILURES_MAX: Final = 50
"""Literals of one script that turn out to be none; looking at one may take its whole length."""
_DECODER: Final = json.JSONDecoder(strict=False)


def compare_scripts(walk: Walk, old: str, new: str, path: Path) -> None:
    """Compare two scripts that stand at the same place."""
    old_data, old_rest = taken_apart(old)
    new_data, new_rest = taken_apart(new)
    if old_data != new_data:
        walk.compare(old_data, new_data, path)
    if old_rest != new_rest:
        compare_lines(walk, old_rest.splitlines(), new_rest.splitlines(), path)


def taken_apart(script: str) -> tuple[dict[str, Json], str]:
    """Give what is assigned as data by its name, and the script without it.

    Of a name that is assigned twice only the first is data.
    """
    data: dict[str, Json] = {}
    rest: list[str] = []
    position = failures = 0
    for found in _ASSIGNED.finditer(script):
        name = found["name"].removeprefix("window.")
        if found.start() < position or name in data:
            continue
        if failures == _FAILURES_MAX:
            break
        literal = _literal(script, found.end())
        if literal is None:
            failures += 1
            continue
        data[name], end = literal
        rest.append(script[position : found.end()])
        position = end
    return data, "".join([*rest, script[position:]])


def _literal(script: str, start: int) -> tuple[Json, int] | None:
    try:
        _, end = _DECODER.raw_decode(script, start)
        return parse_json(script[start:end].encode("utf-8", "surrogatepass")), end
    except (InvalidJsonError, TooDeepError, RecursionError, ValueError):
        return None


def compare_state(walk: Walk, old: str, new: str, path: Path) -> None:
    """Compare two elements that hold data: as JSON where both are, else line by line."""
    try:
        before, after = (parse_json(each.encode("utf-8", "surrogatepass")) for each in (old, new))
    except (InvalidJsonError, TooDeepError):
        compare_lines(walk, old.splitlines(), new.splitlines(), path)
    else:
        walk.compare(before, after, path)
