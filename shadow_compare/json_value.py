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

Json = Any
"""None, bool, int, float, Decimal, str, list or dict with str keys."""

DEPTH_MAX: Final = 128
"""Deeper than any answer that a person designed; keeps every recursion over values shallow."""


_BLANKS: Final = b" \t\n\r"
_INT_DIGITS_MAX: Final = 1_000
"""Reading an int takes time by the square of its digits."""


class InvalidJsonError(ValueError):
    """The text is not one unambiguous JSON value; the message says why."""


class TooDeepError(ValueError):
    """Arrays and objects are nested deeper than DEPTH_MAX."""

    def __init__(self) -> None:
        super().__init__(f"nested deeper than {DEPTH_MAX} levels")


def parse_json(body: bytes) -> Json:
    r"""Read one JSON text.

    Raises InvalidJsonError, also for NaN, a byte order mark, and an object that names a member
    twice (parsers disagree on which one counts), and TooDeepError.

    The quick parser rounds numbers, keeps the last of two members and reads -0 as 0. When writing
    its result out gives the tokens of the body again, nothing of that has happened.
    """
    try:
        value = orjson.loads(body)
        again = orjson.dumps(value)
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _parse_exactly(body)
    if again == body or _is_same_but_for_spelling(body, again):
        return value
    return _parse_exactly(body)


def _is_same_but_for_spelling(body: bytes, again: bytes) -> bool:
    r"""Whether a text has the tokens of another that is compact and escapes only where it must.

    Escapes that need not be are undone, then blanks are taken away. Both happen inside strings or
    between tokens and move no end of a string, so that equal texts had equal numbers, and as many
    of them. A false alarm costs time only, and there are three: `\u0022` and `\u005c`, which
    would move ends, and control characters (2 milliseconds for a megabyte against 50 for
    parsing exactly).
    """
    if b"\\" in body:
        body = body.replace(rb"\/", b"/")  # the other half of `\\/` is an escape of `/` then
        if rb"\u" in body:
            if rb"\u002" in body or rb"\u005" in body:
                return False
            body = _unescaped(body)
        if body == again:
            return True
    return body.translate(None, _BLANKS) == again.translate(None, _BLANKS)


def _unescaped(body: bytes) -> bytes:
    r"""Undo every `\uXXXX` whose backslash is not itself escaped; surrogates must be in pairs."""
    if not body.isascii():
        body = body.decode().encode("raw_unicode_escape")
    text = body.decode("raw_unicode_escape")
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16").encode()


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


def is_same_content(old: Json, new: Json) -> bool:
    """Whether both are the same but for the order of members; False may mean not known.

    Python's equality takes 1 for true and 1.0, so it only tells quickly that two are not the same.
    """
    try:
        return bool(old == new) and (
            orjson.dumps(old, option=orjson.OPT_SORT_KEYS)
            == orjson.dumps(new, option=orjson.OPT_SORT_KEYS)
        )
    except (orjson.JSONEncodeError, RecursionError):  # a Decimal, or what orjson cannot write
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
