from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import Json
from shadow_compare.paths import parse_pattern
from shadow_compare.splice import splice_json


def spliced(body: bytes, place: str, *, by: bytes = b'"X"') -> bytes:
    """Replace everything at a place by one token."""
    return splice_json(body, parse_pattern(place), lambda _: by)


@pytest.mark.parametrize(
    ("body", "place", "expected"),
    [
        (b'{"id": 981}', "$.id", b'{"id": "X"}'),
        (b'{"id":"a","n":1}', "$.id", b'{"id":"X","n":1}'),
        (b'{ "a" : { "id" : 1 } , "id" : 2 }', "$.a.id", b'{ "a" : { "id" : "X" } , "id" : 2 }'),
        (b'{"ids":[1, 2 ,"3"]}', "$.ids[*]", b'{"ids":["X", "X" ,"X"]}'),
        (b'{"ids":[1,2]}', "$.ids[1]", b'{"ids":[1,"X"]}'),
        (b'[{"id":1},{"id":2}]', "$[*].id", b'[{"id":"X"},{"id":"X"}]'),
        (
            b'{"u":{"a":{"id":1},"b":{"id":2}}}',
            "$.u.*.id",
            b'{"u":{"a":{"id":"X"},"b":{"id":"X"}}}',
        ),
        (b'{"\\u0069d": 7}', "$.id", b'{"\\u0069d": "X"}'),
        (b'{"id": 1, "id": 2}', "$.id", b'{"id": "X", "id": "X"}'),
        (b'"a"', "$", b'"X"'),
        (b'{"a": "{\\"id\\": 1}", "id": 1}', "$.id", b'{"a": "{\\"id\\": 1}", "id": "X"}'),
    ],
)
def test_only_what_stands_at_the_place_is_replaced(
    body: bytes, place: str, expected: bytes
) -> None:
    """Blanks, order, escapes and members that stand twice stay as they are."""
    assert spliced(body, place) == expected


@pytest.mark.parametrize(
    "body", [b'{"id": 1.5}', b'{"id": null}', b'{"id": true}', b'{"id": [1]}', b'{"id": {}}', b"{}"]
)
def test_what_is_neither_a_text_nor_a_whole_number_stays(body: bytes) -> None:
    """Such a value names nothing."""
    assert spliced(body, "$.id") == body


def test_numbers_that_no_parser_keeps_stay_as_they_are_written() -> None:
    """What is not replaced is not read either."""
    body = b'{"price": 10.00000000000000000001, "big": 1e400, "id": 1}'
    assert spliced(body, "$.id", by=b"2") == body.replace(b'"id": 1', b'"id": 2')


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"id": 1, "x', b'{"id": "X", "x'),
        (b'{"id: 1}', b'{"id: 1}'),
        (b'}{"id": 1}', b'}{"id": 1}'),
        (b'{1: 2, "id": 1}', b'{1: 2, "id": 1}'),
        (b"", b""),
        (b"\xff\xfe", b"\xff\xfe"),
    ],
)
def test_what_is_no_json_is_read_as_far_as_it_goes(body: bytes, expected: bytes) -> None:
    """Nobody can say what comes after a mistake."""
    assert spliced(body, "$.id") == expected


def test_depth_costs_no_recursion() -> None:
    """A text that is nested a hundred thousand times is read to its end."""
    body = b'{"id":1,"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert spliced(body, "$.id").startswith(b'{"id":"X","a":[[')


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner),
    max_leaves=10,
)


def replaced(value: Json, steps: list[str]) -> Json:
    """Do the same to a value."""
    if not steps:
        return "X" if type(value) in (str, int) else value
    if isinstance(value, dict) and steps[0] in value:
        return {**value, steps[0]: replaced(value[steps[0]], steps[1:])}
    return value


@given(_JSON, st.lists(st.sampled_from("ab"), max_size=2), st.booleans())
def test_it_is_as_if_it_had_been_read_and_written(
    value: Json, steps: list[str], indented: bool
) -> None:
    """Whatever the document, the same is replaced in its text as in its value."""
    body = orjson.dumps(value, option=orjson.OPT_INDENT_2 if indented else 0)
    place = ".".join(["$", *steps])
    assert orjson.loads(spliced(body, place)) == replaced(value, steps)
    assert splice_json(body, parse_pattern(place), lambda _: None) == body
