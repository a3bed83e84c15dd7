"""Which headers of an answer matter to a client, and what of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from shadow_compare.difference import Difference, Extra, Missing, ValueChanged
from shadow_compare.normalize import Answer, Headers
from shadow_compare.paths import header_path

_CLOCK_ATTRIBUTES = frozenset({"expires"})
"""Cookie attributes that are a moment: whether they stand there is compared, not their value."""


def header_differences(old: Answer, new: Answer) -> Iterator[Difference]:
    """Compare the headers of the allow-list; everything else is the server's own business."""
    if old.headers == new.headers:
        return
    for name, meaning in COMPARED.items():
        before, after = meaning(_values(old.headers, name)), meaning(_values(new.headers, name))
        if before == after:
            continue
        path = header_path(name)
        if before is None:
            yield Extra(path, new=after)
        elif after is None:
            yield Missing(path, before)
        else:
            yield ValueChanged(path, before, after)


def _values(headers: Headers, name: str) -> list[str]:
    return [value for each, value in headers if each == name]


def _verbatim(values: list[str]) -> str | None:
    return ", ".join(values) if values else None


def _media_type(values: list[str]) -> str | None:
    if not values:
        return None
    first, *parameters = (part.strip().lower() for part in values[0].split(";"))
    return "; ".join([first, *sorted(part.replace('"', "") for part in parameters if part)])


def _directives(values: list[str]) -> str | None:
    found = {part.strip().lower() for value in values for part in value.split(",")} - {""}
    return ", ".join(sorted(found)) or None


def _cookies(values: list[str]) -> str | None:
    """Names and attributes: the values are sessions and tokens, which differ by nature."""
    return ", ".join(sorted(map(_cookie, values))) or None


def _cookie(value: str) -> str:
    pair, *attributes = value.split(";")
    return "; ".join([pair.partition("=")[0].strip(), *sorted(map(_attribute, attributes))])


def _attribute(text: str) -> str:
    name, _, value = (part.strip() for part in text.partition("="))
    name = name.lower()
    return f"{name}={value.lower()}" if value and name not in _CLOCK_ATTRIBUTES else name


COMPARED: Final[dict[str, Callable[[list[str]], str | None]]] = {
    "content-type": _media_type,
    "location": _verbatim,
    "content-disposition": _verbatim,
    "cache-control": _directives,
    "set-cookie": _cookies,
}
