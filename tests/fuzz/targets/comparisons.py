"""Two answers of any bytes are compared, by any rules: what must hold whatever they are."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any, Final

from shadow_compare.budget import Budget
from shadow_compare.compare import compare
from shadow_compare.json_value import InvalidJsonError, TooDeepError, _parse_exactly, parse_json
from shadow_compare.normalize import Answer
from shadow_compare.redact import Redactor
from shadow_compare.rules import NAMES, CompareRules
from shadow_compare.sample import kept_difference
from shadow_compare.signature import signature_of
from shadow_compare.verdict import Comparison, Verdict
from tests.fuzz.mutate import RECORD

TODAY: Final = date(2026, 3, 1)
NODES: Final = 100_000
TYPES: Final = (
    "application/json", "application/json", "text/html; charset=utf-8", "text/csv", "text/plain",
    "application/xml", "application/x-www-form-urlencoded", "application/pdf",
)  # fmt: skip
RULES: Final = (
    CompareRules(),
    CompareRules.build(equivalences=NAMES),
    CompareRules.build(
        equivalences=["int_bool", {"name": "number_as_string", "at": ["$[*].a", "$.a"]}],
        arrays=[("$", "a"), ("$.a", "b")],
        ignore=[{"path": "$[*].b"}, {"path": "$[order]"}, {"path": "$.c", "until": "2026-02-01"}],
        critical=["$.a"],
    ),
    CompareRules.build(
        equivalences=["trailing_zero", "null_empty"],
        tolerances=[{"path": "$", "within": "0.01", "time": 1}, {"path": "html", "relative": 0.1}],
        ignore=[{"path": "headers.Set-Cookie.*.path"}],
    ),
)
_HEADERS: Final = frozenset(
    {"location", "set-cookie", "cache-control", "content-disposition", "content-encoding"}
)
_REDACTOR: Final = Redactor(b"fuzz")


def one(data: bytes) -> None:
    """Compare; the first octet chooses rules and type, each further record is a body or a header.

    The first two records are the bodies; `name:value` in a later one is a header, of legacy and
    modern in turn.
    """
    first, *records = data[:1], *data[1:].split(RECORD)
    choice = first[0] if first else 0
    before, after = (*records, b"", b"")[:2]
    old = Answer(200, _headers(records[2::2], choice), before)
    new = Answer(200, _headers(records[3::2], choice), after)
    rules = RULES[choice % len(RULES)]
    found = compare(old, new, rules, TODAY, Budget(NODES))
    _check_report(found)
    _check_swapped(found, compare(new, old, rules, TODAY, Budget(NODES)))
    if old == new:
        assert found.verdict in (Verdict.MATCH, Verdict.NOT_COMPARED)
    if choice // len(RULES) % len(TYPES) < 2 and old.headers == new.headers:
        for body in (before, after):
            assert _read(parse_json, body) == _read(_parse_exactly, body)
        if rules is RULES[0] and found.verdict is Verdict.MATCH and old.body != new.body:
            assert old.header("content-encoding") or _reference(before) == _reference(after)


def _headers(records: list[bytes], choice: int) -> tuple[tuple[str, str], ...]:
    found = [("content-type", TYPES[choice // len(RULES) % len(TYPES)])]
    for record in records:
        name, _, value = record.decode("latin-1").partition(":")
        if name.lower() in _HEADERS:
            found.append((name.lower(), value.strip(" \t\r\n")))
    return tuple(found)


def _check_report(found: Comparison) -> None:
    """Say that whatever was found can be named, kept and shown."""
    assert (found.verdict is Verdict.NOT_COMPARED) == (found.reason not in ("", "rules"))
    assert bool(found.places) == (found.verdict is Verdict.MISMATCH)
    assert len(found.differences) <= 100
    assert len({(each.kind, each.place) for each in found.differences}) <= len(found.places)
    if found.places:
        assert signature_of("route", found).id
    for difference in (*found.differences, *found.ignored):
        kept = kept_difference(difference, _REDACTOR)
        assert json.dumps([kept.path, kept.legacy, kept.modern]).isascii()
        kept.path.encode()


def _check_swapped(found: Comparison, other: Comparison) -> None:
    """Say that it does not depend on which side is called old."""
    assert found.verdict is other.verdict  # the reason may be the first of two


def _read(parse: Any, body: bytes) -> Any:
    try:
        return _written(parse(body))
    except TooDeepError:
        return TooDeepError
    except InvalidJsonError as error:
        return str(error)


def _written(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _written(item) for name, item in value.items()}
    if isinstance(value, list):
        return list(map(_written, value))
    if isinstance(value, float | Decimal):
        return ("number", Decimal(repr(value) if isinstance(value, float) else value).as_tuple())
    return (type(value).__name__, value)


def _reference(body: bytes) -> Any:
    """Read a text a second way, as its tokens: numbers stay text, objects become sorted pairs."""
    return json.loads(
        body.decode(),
        parse_int=lambda token: ("number", token),
        parse_float=lambda token: ("number", Decimal(token).as_tuple()),
        object_pairs_hook=lambda pairs: ("object", sorted(pairs, key=repr)),
    )
