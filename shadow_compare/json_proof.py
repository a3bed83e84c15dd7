"""Proofs that a quick parser has lost nothing of a JSON text, in less time than reading it takes.

The parser rounds numbers with a fraction, an exponent or more than 64 bits to a float, keeps the
last of two members of one name, and reads -0 as 0. False always means: not known.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

Json = Any
"""None, bool, int, float, Decimal, str, list or dict with str keys."""

DEPTH_MAX: Final = 128
"""Deeper than any answer that a person designed; keeps every recursion over values shallow."""

_ESCAPE: Final = ord("\\")
"""Looked for as a number: for `bytes in bytes` Python makes and drops an exception first."""
_BLANKS: Final = b" \t\n\r"
_NOTHING: Final[Any] = object()


def are_wholly_same(old: bytes, new: bytes, before: Json, after: Json) -> bool:
    """Whether two texts, of which these values were read, are the same value and lost nothing.

    Without escapes a quote only stands at the ends of strings, so that a member which was dropped
    would have left two more of them; and an integer that is not zero is read as it is. The order
    of members and blanks between tokens are no matter.
    """
    if _ESCAPE in old or _ESCAPE in new:
        return False
    strings = _strings_if_same(before, after, DEPTH_MAX)
    return strings >= 0 and old.count(b'"') == new.count(b'"') == 2 * strings


def _strings_if_same(old: Json, new: Json, depth: int) -> int:
    """Give how many strings each of two equal values holds, names with them.

    Below 0 if they are not the same, if a number in them may have been changed, and for nesting
    beyond `depth`.
    """
    if type(old) is not type(new):
        return -1
    if isinstance(old, str):
        return 1 if old == new else -1
    if isinstance(old, dict):
        return _strings_of_objects(old, new, depth)
    if isinstance(old, list):
        return _strings_of_arrays(old, new, depth)
    if old is None:
        return 0
    is_sure = old == new and (type(old) is bool or (type(old) is int and old != 0))
    return 0 if is_sure else -1


def _strings_of_objects(old: dict[str, Json], new: dict[str, Json], depth: int) -> int:
    found = len(old)
    if found != len(new) or depth == 0:
        return -1
    for name, before in old.items():
        after = new.get(name, _NOTHING)
        if isinstance(before, str):  # as most are; whole numbers are most of the rest
            if not isinstance(after, str) or before != after:
                return -1
            found += 1
        elif type(before) is int and type(after) is int:
            if before != after or before == 0:
                return -1
        else:
            strings = _strings_if_same(before, after, depth - 1)
            if strings < 0:
                return -1
            found += strings
    return found


def _strings_of_arrays(old: list[Json], new: list[Json], depth: int) -> int:
    if len(old) != len(new) or depth == 0:
        return -1
    found = 0
    for at, before in enumerate(old):
        strings = _strings_if_same(before, new[at], depth - 1)
        if strings < 0:
            return -1
        found += strings
    return found


def has_tokens_of(body: bytes, value: Json) -> bool:
    r"""Whether a text has the tokens that are written for what was read from it.

    What is written is compact and escapes only where it must.

    Escapes that need not be are undone, then blanks are taken away. Both happen inside strings or
    between tokens and move no end of a string, so that equal texts had equal numbers, and as many
    of them. A false alarm costs time only, and there are three: `\u0022` and `\u005c`, which
    would move ends, and control characters (2 milliseconds for a megabyte against 50 for
    parsing exactly).
    """
    try:
        again = orjson.dumps(value)
    except orjson.JSONEncodeError:
        return False
    if body == again:
        return True
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
