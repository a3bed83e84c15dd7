"""Reading `rewrite` of a route or its defaults: each name and value is checked to the octet here.

What is read here stands in heads as it is. So no name or value may end a line, move the end of a
body, speak for another client, or contradict what the proxy itself writes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from proxy.routing import pattern
from proxy.routing.node import Node
from proxy.routing.rewrites import FieldEdits, Pairs, PathRules, RewriteRules, Rewrites
from proxy.wire.errors import RequestError
from proxy.wire.fields import Field, Role, request_field, response_field
from proxy.wire.grammar import HOST, TOKEN
from proxy.wire.target import normal_path

EDITS_MOST: Final = 32
NAME_LONGEST: Final = 100
VALUE_LONGEST: Final = 1024
PATH_LONGEST: Final = 256
"""Bounds of what the operator may add: a head must still fit where it goes."""

# field-value = printable ASCII with single blanks inside               RFC 9110, 5.5
_VALUE: Final = re.compile(r"(?:[!-~](?:[\t -~]*[!-~])?)?")
# A cookie's domain, as DNS has it                                       RFC 6265, 4.1.1
_LABEL: Final = r"[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?"
_DOMAIN: Final = re.compile(rf"\.?({_LABEL}(?:\.{_LABEL})*)")

_Reader = Callable[[bytes], Field | None]


def read_rewrites(node: Node, base: Rewrites) -> Rewrites:
    """Read `rewrite`, over what `defaults` say, key by key."""
    sides = node.mapping(("legacy", "modern"))
    return Rewrites(
        legacy=sides.read("legacy", lambda n: _side(n, base.legacy), base.legacy),
        modern=sides.read("modern", lambda n: _side(n, base.modern), base.modern),
    )


def _side(node: Node, base: RewriteRules) -> RewriteRules:
    keys = node.mapping(("path", "host", "request", "response", "location", "cookie_domain"))
    return RewriteRules(
        path=keys.read("path", lambda n: _path_rules(n, base.path), base.path),
        host=keys.read("host", _host, base.host),
        request=keys.read(
            "request", lambda n: _edits(n, base.request, request_field), base.request
        ),
        response=keys.read(
            "response", lambda n: _edits(n, base.response, response_field), base.response
        ),
        location=keys.read("location", lambda n: n.flag(base.location), base.location),
        cookie_domain=keys.read("cookie_domain", _domains, base.cookie_domain),
    )


def check_strip(node: Node, strip: str, match: str) -> None:
    """Note it when no path of the route begins with what is to be taken away."""
    parts = pattern.segments(match)
    for index, taken in enumerate(strip[1:].split("/") if strip != "/" else ()):
        own = parts[index] if index < len(parts) else ""
        if own == pattern.REST:
            return
        if own != taken and not pattern.is_parameter(own):
            node.problem(
                f"takes away `{strip}`, with which no path of `{match}` begins",
                "strip what the route's own `match.path` begins with",
            )
            return


# Path and host


def _path_rules(node: Node, base: PathRules) -> PathRules:
    keys = node.mapping(("strip", "prefix"))
    return PathRules(
        strip=keys.read("strip", _path, base.strip), prefix=keys.read("prefix", _path, base.prefix)
    )


def _path(node: Node) -> str:
    """Read a path in its normal spelling, without a last slash."""
    text = node.text("/")
    try:
        normal = normal_path(text.encode("ascii")).decode() if len(text) <= PATH_LONGEST else ""
    except (RequestError, UnicodeEncodeError):
        normal = ""
    if not normal:
        node.problem(f"is not a path of at most {PATH_LONGEST} octets", "write `/api`")
        return "/"
    normal = normal.rstrip("/") or "/"
    if normal != text:
        node.problem("is not the normal spelling of a path", f"write `{normal}`")
    return normal


def _host(node: Node) -> str:
    text = node.text_or_empty()
    if text and (not text.isascii() or HOST.fullmatch(text.encode()) is None):
        node.problem("is not a host", "write `legacy.internal` or `legacy.internal:8080`")
        return ""
    return text


# Fields


def _edits(node: Node, base: FieldEdits, reader: _Reader) -> FieldEdits:
    keys = node.mapping(("set", "add", "remove"))
    found = FieldEdits(
        set=keys.read("set", lambda n: _values(n, reader), base.set),
        add=keys.read("add", lambda n: _values(n, reader), base.add),
        remove=keys.read("remove", lambda n: _names(n, reader), base.remove),
    )
    names = {name.lower() for name, _ in found.set}
    both = next((name for name in found.remove if name.lower() in names), None)
    if both is not None:
        node.problem(f"`{both}` is both set and removed", "`set` takes the place of what was there")
    return found


def _values(node: Node, reader: _Reader) -> Pairs:
    found: dict[str, tuple[str, str]] = {}
    for name, child in node.mapping(None):
        _check_name(child, name, reader)
        if name.lower() in found:
            child.problem(f"`{name}` stands here twice: names of fields have no case")
        found[name.lower()] = (name, _value(child))
    _check_number(node, len(found))
    return tuple(found.values())


def _names(node: Node, reader: _Reader) -> tuple[str, ...]:
    names: list[str] = []
    for item in node.items():
        name = item.text("x")
        _check_name(item, name, reader)
        names.append(name)
    _check_number(node, len(names))
    return tuple(names)


def _check_number(node: Node, number: int) -> None:
    if number > EDITS_MOST:
        node.problem(f"has {number} fields; at most {EDITS_MOST} are taken")


def _check_name(node: Node, name: str, reader: _Reader) -> None:
    """Note it when a field is not the operator's to write: the proxy writes it, or no one may."""
    if len(name) > NAME_LONGEST or not name.isascii() or not TOKEN.fullmatch(name.encode()):
        node.problem("is not the name of a field", "letters, digits and `-`")
        return
    field = reader(name.encode() + b": x")
    if field is None or field.role not in (Role.FORWARD, Role.COUNTED):
        is_host = name.lower() == "host"
        hint = "write `host: legacy.internal` beside `request`" if is_host else ""
        node.problem(f"`{name}` cannot be rewritten: the proxy writes it itself, or drops it", hint)


def _value(node: Node) -> str:
    text = node.text_or_empty()
    if len(text) > VALUE_LONGEST or _VALUE.fullmatch(text) is None:
        node.problem(
            f"is not the value of a field: at most {VALUE_LONGEST} printable characters of ASCII,"
            " without blanks around"
        )
        return ""
    return text


# Cookies


def _domains(node: Node) -> Pairs:
    found: dict[str, str] = {}
    for name, child in node.mapping(None):
        old, new = _DOMAIN.fullmatch(name), _domain(child)
        if old is None or len(name) > NAME_LONGEST:
            child.problem(f"`{name[:NAME_LONGEST]}` is not a domain", "write `legacy.internal`")
            continue
        if old[1].lower() in found:
            child.problem(f"`{name}` stands here twice: domains have no case")
        found[old[1].lower()] = new
    _check_number(node, len(found))
    return tuple(found.items())


def _domain(node: Node) -> str:
    text = node.text_or_empty()
    if not text:
        return ""
    found = _DOMAIN.fullmatch(text)
    if found is None or len(text) > NAME_LONGEST:
        node.problem("is not a domain", 'write `shop.example`, or `""` to leave it out')
        return ""
    return found[1]
