"""JSON as values that lose nothing which a comparison could need.

An object is a dict, an array a list; integers are int, and other numbers (with them -0 and integers
of a thousand digits) are either a float whose shortest spelling is the very token that was read, or
a Decimal of the token. So `Decimal(repr(f))` is exact in both cases, and `9.90` can be told from
`9.9`.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, Final

import orjson

from shadow_compare.json_proof import DEPTH_MAX, Json, are_wholly_same, has_tokens_of

__all__ = ["DEPTH_MAX", "Json"]

_UNREAD: Final[Any] = object()
_INT_DIGITS_MAX: Final = 1_000
"""Reading an int takes time by the square of its digits."""


class InvalidJsonError(ValueError):
    """The text is not one unambiguous JSON value; the message says why."""


class TooDeepError(ValueError):
    """Arrays and objects are nested deeper than DEPTH_MAX."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {DEPTH_MAX} levels")


def parse_json(body: bytes) -> Json:
    """Read one JSON text.

    Raises InvalidJsonError, also for NaN, a byte order mark, and an object that names a member
    twice (parsers disagree on which one counts), and TooDeepError.
    """
    return _proved(body, _read_quickly(body))


def parse_unlike(old: bytes, new: bytes) -> tuple[Json, Json] | None:
    """Read two JSON texts as `parse_json` does, unless they surely say the same.

    Then it gives None: they differ in the order of members and in blanks at most. That is found
    out in half the time of proving of each alone that it was read without a loss.
    """
    before, after = _read_quickly(old), _read_quickly(new)
    if before is not _UNREAD and are_wholly_same(old, new, before, after):
        return None
    return _proved(old, before), _proved(new, after)


def _read_quickly(body: bytes) -> Json:
    """Give what the quick parser reads, or _UNREAD for what it does not take for JSON.

    It rounds numbers, keeps the last of two members, and reads -0 as 0.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return _UNREAD


def _proved(body: bytes, value: Json) -> Json:
    """Give what was read quickly if nothing was lost, and otherwise read the text exactly."""
    if value is not _UNREAD and has_tokens_of(body, value):
        return value
    return _parse_exactly(body)


def _parse_exactly(body: bytes) -> Json:
    try:
        text = body.decode("utf-8")
        value = json.loads(
            text,
            parse_int=_integer,
            parse_float=Decimal,
            parse_constant=_refuse,
            object_pairs_hook=_object,
        )
    except RecursionError:
        raise TooDeepError from None
    except (ValueError, ArithmeticError) as error:
        raise InvalidJsonError(str(error)) from error
    _check_depth(value)
    return value


def _integer(digits: str) -> Json:
    """Give an int, or a Decimal for what an int would change (-0) or takes too long to become."""
    if digits == "-0" or len(digits) > _INT_DIGITS_MAX:
        return Decimal(digits)
    return int(digits)


def _refuse(constant: str) -> Json:
    raise InvalidJsonError(f"{constant} is not JSON")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value] # `add` gives None, which is false
        raise InvalidJsonError(f"member {twice!r} stands twice in one object")
    return found


def _check_depth(value: Json) -> None:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        level = [
            child
            for node in level
            if isinstance(node, list | dict)
            for child in (node.values() if isinstance(node, dict) else node)
        ]
        if not level:
            return
    raise TooDeepError


def type_name(value: Json) -> str:
    """Name a value's JSON type."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float | Decimal):
        return "number"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def number_of(value: Json) -> Decimal | None:
    """Give the exact number, or None when the value is not a number."""
    kind = type(value)
    if kind is int or kind is Decimal:
        return Decimal(value)
    return Decimal(repr(value)) if kind is float else None


def is_same_scalar(old: Json, new: Json) -> bool:
    """Whether two values that are no containers were written as the same JSON value."""
    if type(old) is type(new) and not isinstance(old, float | Decimal):
        return bool(old == new)
    if isinstance(old, float | Decimal) and isinstance(new, float | Decimal):
        # compare_total tells 9.90 from 9.9 and -0.0 from 0.0; == does not.
        return Decimal(repr(old) if isinstance(old, float) else old).compare_total(
            Decimal(repr(new) if isinstance(new, float) else new)
        ) == Decimal(0)
    return False


def write_json(value: Json) -> str:
    """Write a value compactly, each number as it was read."""
    if isinstance(value, dict):
        inner = ",".join(f"{_quoted(name)}:{write_json(item)}" for name, item in value.items())
        return f"{{{inner}}}"
    if isinstance(value, list):
        return f"[{','.join(map(write_json, value))}]"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value)


def _quoted(text: str) -> str:
    try:
        return orjson.dumps(text).decode()
    except orjson.JSONEncodeError:  # a lone surrogate has no UTF-8
        return json.dumps(text)
