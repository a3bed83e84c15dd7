"""Replacing values within a JSON text, while all the rest of it stays byte for byte (pure).

To read a body and to write it anew would be another body: numbers of many digits, members that
stand twice, and the order and spelling of everything are what the application is to be tested with.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from shadow_compare.json_value import Json
from shadow_compare.paths import BODY, Path, Pattern, is_exactly

_TOKEN: Final = re.compile(
    rb'[ \t\n\r]*+(?:(?P<mark>[{}\[\],:])|(?P<value>"(?:[^"\\]|\\.)*+"|[^\s"{}\[\],:]++))',
    re.DOTALL,
)

Replacing = Callable[[Json], bytes | None]
"""Gives the token for a text or whole number, or None to leave it."""


def splice_json(body: bytes, pattern: Pattern, replacing: Replacing) -> bytes:
    """Replace texts and whole numbers that stand at a place, wherever it is met.

    A text that is no JSON comes back as far as it could not be read; it takes time by its size, and
    memory by its depth.
    """
    parts: list[bytes] = []
    kept = 0
    for start, end in _values(body, pattern):
        token = _replaced(body[start:end], replacing)
        if token is not None:
            parts += (body[kept:start], token)
            kept = end
    return b"".join((*parts, body[kept:])) if parts else body


@dataclass(slots=True)
class _Level:
    """An object or an array that is open, and the member or index that is being read in it."""

    at: str | int
    is_key: bool


def _values(body: bytes, pattern: Pattern) -> list[tuple[int, int]]:
    """Give where the values at a place begin and end; nothing of what follows a mistake."""
    found: list[tuple[int, int]] = []
    levels: list[_Level] = []
    position = 0
    while token := _TOKEN.match(body, position):
        position = token.end()
        mark = token["mark"]
        if mark in (b"{", b"["):
            levels.append(_Level("" if mark == b"{" else 0, mark == b"{"))
        elif mark is not None:
            if not levels:
                break
            _step(mark, levels)
        elif levels and levels[-1].is_key:
            key = _read(token["value"])
            if not isinstance(key, str):
                break
            levels[-1].at = key
        elif len(levels) + 1 == len(pattern) and is_exactly(pattern, _path(levels)):
            found.append(token.span("value"))
    return found


def _step(mark: bytes, levels: list[_Level]) -> None:
    level = levels[-1]
    if mark in (b"}", b"]"):
        levels.pop()
    elif mark == b":":
        level.is_key = False
    elif isinstance(level.at, int):
        level.at += 1
    else:
        level.is_key = True


def _path(levels: list[_Level]) -> Path:
    return (*BODY, *(level.at for level in levels))


def _replaced(token: bytes, replacing: Replacing) -> bytes | None:
    value = _read(token)
    return replacing(value) if type(value) in (str, int) else None


def _read(token: bytes) -> Json:
    try:
        return orjson.loads(token)
    except orjson.JSONDecodeError:
        return None
