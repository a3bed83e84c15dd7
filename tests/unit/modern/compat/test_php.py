import pytest
from hypothesis import given
from hypothesis import strategies as st

from modern.compat.php import is_digits, parse_body, parse_pairs, row_id

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("encoded", "values"),
    [
        ("", {}),
        ("a=1&b=2", {"a": "1", "b": "2"}),
        ("a=1&a=2", {"a": "2"}),
        ("a=&b", {"a": "", "b": ""}),
        ("a=x+y%20z", {"a": "x y z"}),
        ("a=%C3%A9", {"a": "é"}),
        ("a=1;b=2", {"a": "1;b=2"}),
        ("user.id=1&user id=2", {"user_id": "2"}),
        ("%20a=1", {"a": "1"}),
        ("a[]=1", {"a": ["1"]}),
        ("a[x]=1", {"a": ["1"]}),
        ("a[]=1&a=2", {"a": "2"}),
        ("a[b=1", {"a_b": "1"}),
        ("=1", {"": "1"}),
    ],
)
def test_pairs_are_read_as_php_reads_them(encoded: str, values: dict[str, object]) -> None:
    """Queries and forms: the last of a name counts, names are mangled, brackets make lists."""
    assert parse_pairs(encoded) == values


@pytest.mark.parametrize(
    ("content_type", "body", "fields"),
    [
        (JSON, b'{"a":1,"b":null}', {"a": 1, "b": None}),
        ("Application/JSON; charset=utf-8", b'{"a":"\xc3\xa9"}', {"a": "é"}),
        (JSON, b'{"a":1,"a":2}', {"a": 2}),
        (JSON, b"", {}),
        (JSON, b"{", {}),
        (JSON, b"[1,2]", {}),
        (JSON, b'"text"', {}),
        (JSON, b'{"a":NaN}', {}),
        (JSON, b'{"a":"\xff"}', {}),
        (JSON, b'{"a":9223372036854775807}', {"a": 9223372036854775807}),
        (JSON, b'{"a":9223372036854775808}', {"a": "9223372036854775808"}),
        (JSON, b'{"a":-9223372036854775809}', {"a": "-9223372036854775809"}),
        (JSON, b'{"a":' + b"9" * 5000 + b"}", {"a": "9" * 5000}),
        (JSON, b'{"a":1e400}', {"a": float("inf")}),
        (JSON, b'{"a":' + b"[" * 100_000, {}),
        (JSON, b'{"a":"\\ud800"}', {}),
        (JSON, b'\xef\xbb\xbf{"a":1}', {}),
        (FORM, b"a=1&b=%C3%A9", {"a": "1", "b": "é"}),
        (FORM + ";charset=utf-8", b"a=1", {"a": "1"}),
        (FORM, b"a=%FF", {"a": "\udcff"}),
        (FORM, b"a=\xff", {"a": "\udcff"}),
        ("text/plain", b"a=1", {}),
        ("", b'{"a":1}', {}),
    ],
)
def test_a_body_that_is_no_object_and_no_form_is_empty(
    content_type: str, body: bytes, fields: dict[str, object]
) -> None:
    """Broken JSON is no error of its own: the fields are missing."""
    assert parse_body(content_type, body) == fields


@given(st.text(), st.binary())
def test_no_body_is_too_strange(content_type: str, body: bytes) -> None:
    """Whatever is sent, there is an answer to give."""
    for kind in (content_type, JSON, FORM):
        assert isinstance(parse_body(kind, body), dict)


@pytest.mark.parametrize(
    ("digits", "number"),
    [
        ("17", 17),
        ("0017", 17),
        ("0", 0),
        ("000", 0),
        ("2147483647", 2147483647),
        ("2147483648", 0),
        ("9" * 5000, 0),
        ("0" * 5000 + "1", 1),
    ],
)
def test_a_number_that_no_row_can_have_is_nobodys(digits: str, number: int) -> None:
    """Ids beyond the column are looked for in vain, and never reach the database."""
    assert row_id(digits) == number


@pytest.mark.parametrize(
    ("text", "expected"),
    [("12", True), ("", False), ("-1", False), ("1.0", False), ("²", False), ("٣", False)],
)
def test_digits_are_ascii(text: str, *, expected: bool) -> None:
    """Other scripts have digits too; PHP does not take them for any."""
    assert is_digits(text) is expected
