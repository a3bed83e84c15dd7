from __future__ import annotations

import json
import re
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow_compare.json_value import (
    DEPTH_MAX,
    InvalidJsonError,
    Json,
    TooDeepError,
    _parse_exactly,
    is_same_scalar,
    number_of,
    parse_json,
    parse_unlike,
    type_name,
    write_json,
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
        "-0",
        "-0e0",
        "9" * 5000,
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


NUMBERS = st.integers().map(str) | st.floats(allow_nan=False, allow_infinity=False).map(repr)
TOKENS = NUMBERS | st.sampled_from(
    ["-0", "-0.0", "9.90", "1e2", "1E+2", "1.0e1", "1e-7", "0.00001", "9007199254740993.0",
     "18446744073709551616", "1e400", "100000000000000000.0"]
)  # fmt: skip
CHARACTERS = st.characters(codec="utf-8") | st.sampled_from(
    '"\\/\b\f\n\r\t\0 u:,0é€😀\x7f\x85\u2028'
)
BLANK = st.text(" \t\n\r", max_size=2)
SHORT = {'"': '"', "\\": "\\", "/": "/", "\b": "b", "\f": "f", "\n": "n", "\r": "r", "\t": "t"}


@st.composite
def strings(draw: st.DrawFn) -> str:
    """Draw a string token in which each character is spelt in one of the ways it can be."""
    return f'"{"".join(draw(spelt(each)) for each in draw(st.lists(CHARACTERS, max_size=4)))}"'


def spelt(character: str) -> st.SearchStrategy[str]:
    """Give all spellings of a character inside a string."""
    units = character.encode("utf-16-be")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    ways = [escaped, escaped.upper().replace("U", "u")]
    if character in SHORT:
        ways.append("\\" + SHORT[character])
    if character >= " " and character not in '"\\':
        ways.append(character)
    return st.sampled_from(ways)


def texts() -> st.SearchStrategy[str]:
    """Draw JSON texts of any spelling: blanks, escapes, numbers, members that stand twice."""

    def joined(parts: st.SearchStrategy[str], start: str, end: str) -> st.SearchStrategy[str]:
        return st.lists(parts, max_size=4).map(lambda found: start + ",".join(found) + end)

    def around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        spaced = st.tuples(BLANK, inner, BLANK).map("".join)
        member = st.tuples(BLANK, strings(), BLANK, st.just(":"), spaced).map("".join)
        return joined(spaced, "[", "]") | joined(member, "{", "}")

    leaf = TOKENS | strings() | st.sampled_from(["true", "false", "null"])
    return st.recursive(leaf, around, max_leaves=12)


@given(texts())
@settings(max_examples=300)
def test_quick_reading_is_exact_or_not_taken(text: str) -> None:
    """Whatever the spelling, what is read is what the exact parser reads, or the same refusal."""
    body = text.encode()
    try:
        exact = _parse_exactly(body)
    except InvalidJsonError as error:
        with pytest.raises(InvalidJsonError, match=re.escape(str(error))):
            parse_json(body)
    else:
        assert canonical(parse_json(body)) == canonical(exact)


def canonical(value: Json) -> str:
    """Write numbers as their exact decimal tuple, for comparison across representations."""
    if isinstance(value, dict):
        return str({name: canonical(value[name]) for name in sorted(value)})
    if isinstance(value, list):
        return str(list(map(canonical, value)))
    number = number_of(value)
    return f"{type_name(value)} {number.as_tuple() if number is not None else value!r}"


PHP = json.dumps({"url": "/a/b", "name": "Größe €", "face": "😀", "price": 9.9})


@pytest.mark.parametrize(
    "body",
    [
        orjson.dumps([9.9]),
        PHP.replace("/", "\\/").encode(),
        json.dumps(json.loads(PHP), ensure_ascii=False, indent=4).encode(),
        json.dumps(["mixed €", 9.9], ensure_ascii=False).replace("m", "\\u006d").encode(),
    ],
)
def test_common_spellings_are_read_by_the_quick_parser(body: bytes) -> None:
    """Only the quick parser gives floats: compact, as PHP writes, or with white space."""
    value = parse_json(body)
    assert float in map(type, value.values() if isinstance(value, dict) else value)


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
        (0, Decimal("-0"), False),
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


SPACED = st.recursive(
    st.sampled_from(
        ["1", "-7", "0", "-0", "2.50", "1e0", "true", "null", '"a:b"', '"-0"', '"é"', "1234"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda found: f"[{', '.join(found)}]")
        | st.lists(st.tuples(st.sampled_from("abc"), inner), max_size=3).map(
            lambda found: "{" + ",\n".join(f'"{name}": {each}' for name, each in found) + "}"
        )
    ),
    max_leaves=8,
).map(lambda text: f'{{"all": {text}}}')


@given(SPACED)
@settings(max_examples=300)
def test_quotes_tell_when_a_member_was_dropped(text: str) -> None:
    """With blanks between the tokens, too, nothing is lost without being noticed."""
    body = text.encode()
    try:
        exact = _parse_exactly(body)
    except InvalidJsonError:
        with pytest.raises(InvalidJsonError):
            parse_json(body)
    else:
        assert canonical(parse_json(body)) == canonical(exact)


@given(SPACED, SPACED, st.sampled_from([" ", ""]))
@settings(max_examples=200)
def test_what_is_said_to_be_the_same_is(one: str, other: str, blank: str) -> None:
    """Two texts are only passed over when the exact parser reads both, and reads the same."""
    tight = "".join(one.split())
    for old, new in (
        (one, other),
        (one, one.replace(" ", blank)),
        (one, one.replace("-0", "0")),
        (tight, one),
        (tight, f"{tight} "),
        (tight, "".join(other.split())),
    ):
        try:
            unlike = parse_unlike(old.encode(), new.encode())
        except InvalidJsonError:
            continue
        exact = [canonical(_parse_exactly(text.encode())) for text in (old, new)]
        if unlike is None:
            assert exact[0] == exact[1]
        else:
            assert [canonical(each) for each in unlike] == exact


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'{"a":1,"b":[null,true]}', b'{ "b": [null,true], "a": 1 }'),
        (b'["\xc3\xa9"]', b'[\n"\xc3\xa9"\n]'),
        (b"[]", b" [ ]"),
    ],
)
def test_members_in_another_order_and_blanks_are_passed_over(old: bytes, new: bytes) -> None:
    """Nothing is left to be compared."""
    assert parse_unlike(old, new) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [(b"[0]", b"[-0]"), (b"[1.0]", b"[1.00]"), (b"[1]", b"[true]"), (b"[1]", b"[1.0]")],
)
def test_what_parsers_confuse_is_not_passed_over(old: bytes, new: bytes) -> None:
    """Both are read, and differ."""
    unlike = parse_unlike(old, new)
    assert unlike is not None
    assert canonical(unlike[0]) != canonical(unlike[1])


def test_a_member_that_stands_twice_is_not_passed_over() -> None:
    """Nor where both sides do it."""
    body = b'{"a": 1, "a": 2}'
    with pytest.raises(InvalidJsonError):
        parse_unlike(body, body + b" ")
