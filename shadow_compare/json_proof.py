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

    An integer that is not zero is read as it is, and a string without escapes, too. So all that
    may be lost is a member of which there was another, and that would have left something behind
    (see `is_all_of_both`). The order of members and blanks between tokens are no matter.
    """
    if _ESCAPE in old or _ESCAPE in new:
        return False
    seen = _Seen()
    return seen.are_same(before, after, DEPTH_MAX) and seen.is_all_of_both(old, new)


class _Seen:
    """What two equal values hold: so many strings, names with them, and characters without blanks.

    A value is not the same for sure if a number in it may have been changed, or beyond a depth.
    """

    __slots__ = ("characters", "strings")

    def __init__(self) -> None:
        self.strings = 0
        self.characters = 0

    def is_all_of_both(self, old: bytes, new: bytes) -> bool:
        """Whether two texts without escapes hold nothing else.

        One without blanks, as most are, is as long as what is known of it, and the other one then
        if it is as long. In any text a quote only stands at the ends of strings, so that one more
        string would have two more of them; but to count them takes five times as long.
        """
        shorter = old if len(old) <= len(new) else new
        is_known = self._is_all_of(shorter)
        is_old = is_known and len(old) == len(shorter)
        is_new = is_known and len(new) == len(shorter)
        return (is_old or self._has_quotes_of(old)) and (is_new or self._has_quotes_of(new))

    def _is_all_of(self, text: bytes) -> bool:
        length = len(text) if text.isascii() else len(text.decode())
        return length == self.characters

    def _has_quotes_of(self, text: bytes) -> bool:
        return text.count(b'"') == 2 * self.strings

    def are_same(self, old: Json, new: Json, depth: int) -> bool:
        """Whether both are surely the same."""
        if type(old) is not type(new):
            return False
        if isinstance(old, dict):
            return self._are_same_objects(old, new, depth)
        if isinstance(old, list):
            return self._are_same_arrays(old, new, depth)
        if isinstance(old, str):
            self.strings += 1
            self.characters += len(old) + 2
            return bool(old == new)
        if old is None:
            self.characters += 4
            return True
        if type(old) is bool:
            self.characters += 4 if old else 5
            return bool(old == new)
        if type(old) is int:
            self.characters += len(str(old))
            return bool(old == new and old != 0)
        return False

    def _are_same_objects(self, old: dict[str, Json], new: dict[str, Json], depth: int) -> bool:
        members = len(old)
        if members != len(new) or depth == 0:
            return False
        strings = members
        characters = 2 + 4 * members - (1 if members else 0)  # braces, quotes, colons and commas
        for name, before in old.items():
            after = new.get(name, _NOTHING)
            characters += len(name)
            if isinstance(before, str):  # as most are; whole numbers are most of the rest
                if not isinstance(after, str) or before != after:
                    return False
                strings += 1
                characters += len(before) + 2
            elif type(before) is int and type(after) is int:
                if before != after or before == 0:
                    return False
                characters += _digits(before)
            elif not self.are_same(before, after, depth - 1):
                return False
        self.strings += strings
        self.characters += characters
        return True

    def _are_same_arrays(self, old: list[Json], new: list[Json], depth: int) -> bool:
        elements = len(old)
        if elements != len(new) or depth == 0:
            return False
        self.characters += elements + 1 if elements else 2  # brackets and commas
        for at, before in enumerate(old):  # noqa: SIM110 - `all` takes longer compiled
            if not self.are_same(before, new[at], depth - 1):
                return False
        return True


def _digits(number: int) -> int:
    """How many characters a whole number has; most are small, and writing one takes a while."""
    if 0 < number < 10:
        return 1
    if 0 < number < 100:
        return 2
    return len(str(number))


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
