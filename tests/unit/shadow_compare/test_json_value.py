from __future__ import annotations

import json
from decimal import Decimal

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.json_value import (
    DEPTH_MAX,
    InvalidJsonError,
    Json,
    TooDeepError,
    is_same_scalar,
    number_of,
    parse_json,
    type_name,
    write_json,
)

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@pytest.mark.parametrize(
    "token",
    [
        "9.90",
        "0.1",
        "1e2",
        "1E+2",
        "-0.0",
        "12345678901234567890.5",
        "0.10000000000000000001",
        "1e400",
    ],
)
def test_numbers_keep_every_digit_of_their_token(token: str) -> None:
    """A number is the decimal that was written, with its scale, whatever a float makes of it."""
    (found,) = parse_json(f"[{token}]".encode())
    exact = number_of(found)
    assert exact is not None
    assert exact.as_tuple() == Decimal(token).as_tuple()


def test_integers_of_any_size_stay_integers() -> None:
    """Ids beyond 64 bits are not rounded."""
    assert parse_json(b"[9007199254740993,123456789012345678901234567890]") == [
        9007199254740993,
        123456789012345678901234567890,
    ]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"\xef\xbb\xbf{}",
        b'"\xff"',
        b'{"a":1,"a":1}',
        b'{"x":{"a":1,"b":2,"a":3}}',
        b'{"a" :1,"b":[],"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'<b>Warning</b>: x {"a":1}',
        b"[" + b"9" * 5000 + b"]",
        b"[1e99999999999999999999999]",
    ],
)
def test_text_that_is_not_one_json_value_is_refused(body: bytes) -> None:
    """NaN, a byte order mark, a member named twice and every other defect are told, not guessed."""
    with pytest.raises(InvalidJsonError):
        parse_json(body)


@pytest.mark.parametrize(
    "body", [b"[" * n + b"]" * n for n in (DEPTH_MAX + 2, 300, 2_000, 200_000)]
)
def test_deep_nesting_is_refused(body: bytes) -> None:
    """Nesting beyond the limit is refused, however deep, or left to the walk to notice."""
    if len(body) < 2 * 254:  # the quick parser takes it; the walk has the limit then
        assert parse_json(body)
    else:
        with pytest.raises(TooDeepError):
            parse_json(body)


@given(VALUES)
def test_both_parsers_read_the_same(value: Json) -> None:
    """Compact text, pretty text and PHP's escapes give values that are written alike."""
    compact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    try:
        body = compact.encode()
    except UnicodeEncodeError:
        return
    spaced = json.dumps(value, indent=2).encode()
    php = json.dumps(value, separators=(",", ":")).replace("/", "\\/").encode()
    expected = canonical(parse_json(body))
    assert canonical(parse_json(spaced)) == expected
    assert canonical(parse_json(php)) == expected


def canonical(value: Json) -> str:
    """Write numbers as their exact decimal tuple, for comparison across representations."""
    if isinstance(value, dict):
        return str({name: canonical(item) for name, item in value.items()})
    if isinstance(value, list):
        return str(list(map(canonical, value)))
    number = number_of(value)
    return f"{type_name(value)} {number.as_tuple() if number is not None else value!r}"


@given(st.text())
def test_undoing_php_slashes_never_hides_a_loss(text: str) -> None:
    r"""Whatever stands around `\/`, the value read is the one that the strict parser reads."""
    body = b'["' + text.encode("utf-8", "replace").replace(b'"', b"") + b'/\\/","\\\\/",1.50]'
    try:
        strict = json.loads(body, parse_float=Decimal)
    except ValueError:
        return
    assert parse_json(body) == strict
    assert str(parse_json(body)[2]) == "1.50"


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (1, 1, True),
        (1, True, False),
        (0, False, False),
        (1, 1.0, False),
        (1.5, Decimal("1.5"), True),
        (1.5, Decimal("1.50"), False),
        (Decimal("9.9"), Decimal("9.90"), False),
        (0.0, -0.0, False),
        (None, None, True),
        (None, False, False),
        ("1", 1, False),
        ("", None, False),
    ],
)
def test_scalars_are_the_same_only_when_written_the_same(old: Json, new: Json, same: bool) -> None:
    """Python's 1 == True == 1.0 does not hold here."""
    assert is_same_scalar(old, new) is same
    assert is_same_scalar(new, old) is same


def test_values_are_written_as_they_were_read() -> None:
    """Numbers keep their spelling, and a lone surrogate is escaped rather than refused."""
    text = '{"a":[1,9.90,true,null,"é"],"b":"\\ud800"}'
    assert write_json(parse_json(text.encode())) == text


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"), (True, "boolean"), (1, "number"), (1.5, "number"), (Decimal(1), "number"),
        ("", "string"), ([], "array"), ({}, "object"),
    ],
)  # fmt: skip
def test_types_are_named_as_in_json(value: Json, name: str) -> None:
    """Every value has one of the seven names."""
    assert type_name(value) == name


def test_quick_parser_is_the_one_in_use() -> None:
    """Compact text without defects is read by the quick parser, whose floats are floats."""
    assert type(parse_json(orjson.dumps([9.9]))[0]) is float
