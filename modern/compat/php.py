"""How PHP reads what a request carries; the clients of this face were written against that."""

import json
from typing import NoReturn
from urllib.parse import parse_qsl

_MAX_ID = 2**31 - 1
_MOST_DIGITS = len(str(-(2**63)))


def parse_pairs(encoded: str, *, errors: str = "replace") -> dict[str, object]:
    """Return the values of a query string or form by name, the last of each name.

    As `parse_str`: a name with brackets is an array, and dots and spaces in names become
    underscores. Arrays come as a list with nothing known of it but that it is no text.
    """
    values: dict[str, object] = {}
    for raw, value in parse_qsl(encoded, keep_blank_values=True, errors=errors):
        name, bracket, rest = raw.lstrip(" ").partition("[")
        is_array = bool(bracket) and "]" in rest and bool(name)
        if bracket and not is_array:
            name = f"{name}_{rest}"
        name = name.replace(".", "_").replace(" ", "_")
        values[name] = [value] if is_array else value
    return values


def parse_body(content_type: str, body: bytes) -> dict[str, object]:
    """Return the fields of a JSON object or a form; anything else counts as an empty body.

    Bytes of a form that are not UTF-8 stay recognisable, as lone surrogates.
    """
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type == "application/json":
        return _parse_json(body)
    if media_type == "application/x-www-form-urlencoded":
        text = body.decode("utf-8", "surrogateescape")
        return parse_pairs(text, errors="surrogateescape")
    return {}


def is_digits(text: str) -> bool:
    """Return whether the text is one or more of 0 to 9 (`ctype_digit`)."""
    return text.isascii() and text.isdigit()


def row_id(digits: str) -> int:
    """Return the id that the digits say, or 0, which no row has, when no id is as large.

    PHP saturates at 2^63-1 and looks for that in vain; a column of 32 bits cannot even be asked.
    """
    significant = digits.lstrip("0")
    number = int(significant or "0") if len(significant) <= len(str(_MAX_ID)) else 0
    return number if number <= _MAX_ID else 0


def _parse_json(body: bytes) -> dict[str, object]:
    try:
        document = json.loads(body.decode(), parse_int=_whole_number, parse_constant=_refuse)
        # Half of a surrogate pair is well-formed JSON, but no text; PHP refuses the document.
        json.dumps(document, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return {}
    return document if isinstance(document, dict) else {}


def _whole_number(digits: str) -> int | str:
    """Return the number, or its digits when 64 bits do not hold it (JSON_BIGINT_AS_STRING)."""
    if len(digits) > _MOST_DIGITS:
        return digits
    number = int(digits)
    return number if -(2**63) <= number < 2**63 else digits


def _refuse(name: str) -> NoReturn:
    # NaN and Infinity, which Python reads though no JSON has them.
    raise ValueError(name)
