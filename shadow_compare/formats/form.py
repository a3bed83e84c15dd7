"""Form content (application/x-www-form-urlencoded) as a map from names to values."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote_plus

from shadow_compare.budget import check_pieces
from shadow_compare.formats.charset import text_of
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer
from shadow_compare.paths import Path

ROOT: Final[Path] = ("form",)


def read_form(body: bytes, answer: Answer) -> Json:
    """Read pairs; a name that stands several times has all its values, in order.

    The order of different names says nothing. A part without `=` is a name with an empty value,
    as it is for PHP.
    """
    check_pieces(body, b"&")
    found: dict[str, Json] = {}
    for part in text_of(body, answer).split("&"):
        if not part:
            continue
        name, _, value = (unquote_plus(each) for each in part.partition("="))
        if name not in found:
            found[name] = value
        elif isinstance(found[name], list):
            found[name].append(value)
        else:
            found[name] = [found[name], value]
    return found
