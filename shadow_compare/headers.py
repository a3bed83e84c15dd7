"""Which headers of an answer matter to a client, as a tree that the walk compares."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from shadow_compare.cookies import SetCookie, attribute_name, read_set_cookie
from shadow_compare.json_value import Json
from shadow_compare.normalize import Headers
from shadow_compare.paths import HEADERS
from shadow_compare.structure import Walk

_CASELESS: Final = frozenset({"samesite", "domain", "priority"})
"""Cookie attributes whose values mean the same in any case (RFC 6265 section 5.2)."""
_PARTS: Final = re.compile(r';((?:[^;"]|"(?:[^"\\]|\\.)*"|")*+)')
"""What stands behind semicolons; one inside quotes is not one."""
_ELEMENTS: Final = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*"|")++')
"""What stands between commas."""


def compare_headers(walk: Walk, old: Headers, new: Headers) -> None:
    """Compare the headers of the allow-list; everything else is the server's own business."""
    if old == new:
        return
    before = [field for field in old if field[0] in COMPARED]
    after = [field for field in new if field[0] in COMPARED]
    if before != after:
        walk.compare(_tree(before), _tree(after), HEADERS)


def _tree(fields: list[tuple[str, str]]) -> dict[str, Json]:
    values: dict[str, list[str]] = {}
    for name, value in fields:
        values.setdefault(name, []).append(value)
    return {name: COMPARED[name](found) for name, found in values.items()}


def _verbatim(values: list[str]) -> Json:
    return ", ".join(values)


def _with_parameters(values: list[str]) -> Json:
    """Take the first, as browsers do: `text/html; charset=utf-8`, `attachment; filename="a;b"`."""
    kind, *parameters = _parts(values[0])
    return "; ".join([kind.lower(), *sorted(map(_parameter, parameters))])


def _parameter(text: str) -> str:
    name, mark, value = text.partition("=")
    name, value = name.strip().lower(), value.strip()
    if len(value) > 1 and value[0] == value[-1] == '"':
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    return f"{name}={value.lower() if name == 'charset' else value}" if mark else name


def _directives(values: list[str]) -> Json:
    found = {each.strip().lower() for value in values for each in _ELEMENTS.findall(value)} - {""}
    return ", ".join(sorted(found))


def _cookies(values: list[str]) -> Json:
    """Give the attributes of each cookie: the values are sessions and tokens, and always differ.

    A cookie that is set more than once has a list of them.
    """
    found: dict[str, list[Json]] = {}
    for cookie in map(read_set_cookie, values):
        found.setdefault(cookie.name, []).append(_attributes(cookie))
    return {name: each[0] if len(each) == 1 else each for name, each in found.items()}


def _attributes(cookie: SetCookie) -> dict[str, Json]:
    """Give them by name; what no browser heeds may be anything, and stands together as `other`."""
    found: dict[str, Json] = {}
    others: list[Json] = []
    for attribute in cookie.attributes:
        if name := attribute_name(attribute):
            found[name] = _attribute_value(name, attribute.partition("=")[2].strip())
        else:
            others.append(attribute)
    return {**found, "other": others} if others else found


def _attribute_value(name: str, value: str) -> Json:
    if name == "expires":  # a moment, that only tells whether the cookie is set or taken back
        return "past" if "1970" in value else "given"
    if name == "domain":
        value = value.removeprefix(".")
    return (value.lower() if name in _CASELESS else value) or True


def _parts(value: str) -> list[str]:
    return [part for each in _PARTS.findall(f";{value}") if (part := each.strip())] or [""]


COMPARED: Final[dict[str, Callable[[list[str]], Json]]] = {
    "content-type": _with_parameters,
    "location": _verbatim,
    "content-disposition": _with_parameters,
    "cache-control": _directives,
    "set-cookie": _cookies,
}
