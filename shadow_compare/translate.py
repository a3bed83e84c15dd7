"""Requests in the other side's own names: ids that a client was given by the primary (pure).

A client of legacy asks for `/users/981`, which modern calls `7f3a`. Where the rules say that a
request has such a name, it is replaced by its partner before the other side is asked; all the rest
of the request stays as it was, byte for byte.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import quote, unquote, unquote_plus

import orjson

from shadow_compare.capture import LEGACY, Capture, Headers
from shadow_compare.correspondence import Correspondence, Key, Scope, is_name
from shadow_compare.json_value import Json
from shadow_compare.normalize import Content, NotComparableError, content_of_type, media_type_of
from shadow_compare.paths import Pattern, parse_pattern
from shadow_compare.splice import splice_json

UNKNOWN: Final = "unknown_id"
"""Why nothing was compared: the other side's name is not known, or cannot be written in place."""

_PLACE: Final = re.compile(
    r"(?P<root>path)\.(?P<name>[a-z_][a-z0-9_]*)|(?P<part>query|form)\.(?P<field>[\w.\[\]-]{1,100})"
)
_WHOLE_NUMBER: Final = re.compile(r"0|-?[1-9][0-9]{0,17}")


@dataclass(frozen=True, slots=True)
class Translation:
    """A place in the requests of a route whose names are translated; make it with `build`.

    `at` is as written: `path.NAME`, `query.NAME`, `form.NAME`, or a path into a JSON body. `scope`
    says what is named. `segment` is where in the path, from 0. `as_is` lets a name that is not
    known be sent as it is, for sides that share most of them.
    """

    at: str
    scope: str
    as_is: bool = False
    segment: int | None = None
    field: str = ""
    pattern: Pattern = ()

    @classmethod
    def build(
        cls, at: str, name: str, *, as_is: bool = False, segment: int | None = None
    ) -> Translation:
        """Compile plain values; raises ValueError."""
        found = _PLACE.fullmatch(at)
        if found is None:
            if not at.startswith("$"):
                raise ValueError(f"`{at}` is not a place in a request")
            return cls(at, name, as_is, pattern=parse_pattern(at))
        if found["root"] and segment is None:
            raise ValueError(f"`{at}`: nobody says which segment that is")
        return cls(at, name, as_is, segment, found["field"] or "")


@dataclass(frozen=True, slots=True)
class Translated:
    """A request as a side is asked it, and the rules that this needed, once for each name."""

    capture: Capture
    fired: tuple[str, ...] = ()


def translated(
    capture: Capture, side: str, places: tuple[Translation, ...], pairs: Correspondence
) -> Translated:
    """Give a request in the names of a side; raises NotComparableError (unknown_id).

    What its own primary is asked is what the client asked.
    """
    if side == capture.primary or not places:
        return Translated(capture)
    names = _Names(side, pairs)
    path, mark, query = capture.target.partition("?")
    body = capture.request_body
    for place in places:
        partner = names.at(place)
        if place.segment is not None:
            path = _in_segment(path, place.segment, partner)
        elif place.at.startswith("query."):
            query = _in_pairs(query, place.field, partner)
        elif body:
            body = _in_body(body, capture.request_headers, place, partner)
    target = path + mark + query
    if target == capture.target and body == capture.request_body:
        return Translated(capture, tuple(names.fired))
    return Translated(replace(capture, target=target, request_body=body), tuple(names.fired))


Partner = Callable[[Json], str | None]
"""Gives the other side's name for one, or None to leave it; raises NotComparableError."""


Lookup = Callable[[Scope, Json], Key | None]


class _Names:
    """Looks names up, and takes down which rules that needed."""

    def __init__(self, side: str, pairs: Correspondence) -> None:
        ways: tuple[Lookup, Lookup] = (pairs.modern_of, pairs.legacy_of)
        self._of, self._back = ways[::-1] if side == LEGACY else ways
        self.fired: list[str] = []

    def at(self, place: Translation) -> Partner:
        """Give what translates names at a place."""

        def partner(name: Json) -> str | None:
            if not is_name(name):
                return None
            known = self._of(place.scope, name)
            if isinstance(known, str):
                self.fired.append(f"translate:{place.at}")
                return known
            self._leave(place, name, known)
            return None

        return partner

    def _leave(self, place: Translation, name: Json, known: Key | None) -> None:
        """Leave a name that nobody knows, where that is allowed: not if it is somebody else's."""
        is_taken = self._back(place.scope, name) is not None
        if not place.as_is or known is not None or is_taken:
            raise NotComparableError(UNKNOWN)
        self.fired.append(f"as_is:{place.at}")


def _in_segment(path: str, place: int, partner: Partner) -> str:
    parts = path.split("/")  # the first is empty: a path begins with a slash
    if place + 1 >= len(parts):
        return path
    found = partner(unquote(parts[place + 1]))
    if found is None:
        return path
    if found in (".", ".."):  # which is another path
        raise NotComparableError(UNKNOWN)
    parts[place + 1] = _escaped(found)
    return "/".join(parts)


def _in_pairs(text: str, field: str, partner: Partner) -> str:
    """Translate the value of a field of a query or a form, wherever it stands."""
    parts = text.split("&")
    for place, part in enumerate(parts):
        name, mark, value = part.partition("=")
        if mark and unquote_plus(name) == field:
            found = partner(unquote_plus(value))
            if found is not None:
                parts[place] = f"{name}={_escaped(found)}"
    return "&".join(parts)


def _in_body(body: bytes, headers: Headers, place: Translation, partner: Partner) -> bytes:
    """Translate in a body of the kind that the place is in; one of another kind has no such."""
    fields = dict(headers)
    media_type = media_type_of(fields.get("content-type", ""))
    content = content_of_type(media_type)
    is_there = content is (Content.JSON if place.pattern else Content.FORM)
    if not is_there and not (place.field and media_type == "multipart/form-data"):
        return body
    if not is_there or fields.get("content-encoding", "identity") != "identity":
        if place.as_is:
            return body
        raise NotComparableError(UNKNOWN)  # there may be a name in it, which nobody can replace
    if place.field:
        return _in_pairs(body.decode("latin-1"), place.field, partner).encode("latin-1")
    return splice_json(body, place.pattern, lambda name: _json_name(name, partner(name)))


def _json_name(name: Json, partner: str | None) -> bytes | None:
    """Write a name for JSON: a number where there was one, if it can be."""
    if partner is None:
        return None
    if not isinstance(name, str) and _WHOLE_NUMBER.fullmatch(partner):
        return partner.encode()
    try:
        return orjson.dumps(partner)
    except orjson.JSONEncodeError as error:  # a lone surrogate
        raise NotComparableError(UNKNOWN) from error


def _escaped(name: str) -> str:
    try:
        return quote(name, safe="")
    except UnicodeEncodeError as error:
        raise NotComparableError(UNKNOWN) from error
