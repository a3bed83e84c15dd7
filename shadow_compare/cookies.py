"""What a server says with Set-Cookie, taken apart as browsers do it (RFC 6265bis section 5.6)."""

from __future__ import annotations

from typing import Final, NamedTuple

ATTRIBUTES: Final = frozenset(
    {"expires", "max-age", "domain", "path", "secure", "httponly", "samesite"}
    | {"partitioned", "priority"}
)
"""What browsers heed; anything else may as well be the rest of a value with a semicolon in it."""


class SetCookie(NamedTuple):
    """One cookie; `attributes` are as written, without the blanks around them."""

    name: str
    value: str
    attributes: tuple[str, ...]


def read_set_cookie(text: str) -> SetCookie:
    """Take one apart. Whatever has no `=` is a value without a name; empty attributes are none."""
    pair, *attributes = text.split(";")
    return SetCookie(*read_pair(pair), tuple(filter(None, map(str.strip, attributes))))


def read_pair(text: str) -> tuple[str, str]:
    """Give name and value of a cookie; whatever has no `=` is a value without a name."""
    name, mark, value = text.partition("=")
    return (name.strip(), value.strip()) if mark else ("", text.strip())


def attribute_name(attribute: str) -> str:
    """Give the name of an attribute in lower case, or nothing for one that no browser heeds."""
    name = attribute.partition("=")[0].strip().lower()
    return name if name in ATTRIBUTES else ""
