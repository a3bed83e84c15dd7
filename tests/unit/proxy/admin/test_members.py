from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.members import AUTHOR_MAX, REASON_MAX, Members, parse_weight
from proxy.admin.problems import ProblemError

KNOWN = ("weight", "reason", "author", "force", "headers")


def read(body: bytes) -> None:
    """Read one member of each kind."""
    with Members(body, KNOWN) as members:
        members.weight("weight", required=True)
        members.reason()
        members.author()
        members.flag("force")


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("10", 1000),
        ("10%", 1000),
        ("12.5 %", 1250),
        ("0", 0),
        ("100%", 10_000),
        ("0.01", 1),
        (" 7% ", 700),
        ("100.01", None),
        ("-1", None),
        ("1e1", None),
        ("0.001", None),
        ("ten", None),
        ("", None),
        ("%", None),
        ("\u0661\u0660", None),
        ("nan", None),
    ],
)
def test_a_weight_is_a_percentage_with_at_most_two_decimals(text: str, weight: int | None) -> None:
    """Nothing is rounded: what cannot be said in hundredths of a percent is refused."""
    assert parse_weight(text) == weight


@given(st.integers(0, 10_000))
def test_every_weight_can_be_said(weight: int) -> None:
    """Each hundredth of a percent reads back exactly."""
    assert parse_weight(f"{weight / 100:.2f}%") == weight


@pytest.mark.parametrize(
    ("body", "where", "words"),
    [
        (b'{"reason": "x", "weight": true}', "weight", "is not a percentage"),
        (b'{"reason": "x", "weight": [1]}', "weight", "is not a percentage"),
        (b'{"reason": "x", "weight": 1e400}', "", "not JSON"),
        (b'{"reason": 5, "weight": 1}', "reason", "must be a string"),
        (b'{"weight": 1}', "reason", "is empty"),
        (b'{"reason": "  ", "weight": 1}', "reason", "is empty"),
        (b'{"reason": "a\\nb", "weight": 1}', "reason", "control or invisible"),
        ('{"reason": "a\u202eb", "weight": 1}'.encode(), "reason", "control or invisible"),
        (b'{"reason": "a\\u0000", "weight": 1}', "reason", "control or invisible"),
        (b'{"reason": "x", "weight": 1, "author": ""}', "author", "is empty"),
        (b'{"reason": "x", "weight": 1, "wieght": 2}', "wieght", "Did you mean weight?"),
        (b'{"reason": "x", "weight": 1, "force": "yes"}', "force", "must be true or false"),
    ],
)
def test_a_bad_member_is_named_with_the_way_to_mend_it(body: bytes, where: str, words: str) -> None:
    """The problem says where, what, and how to mend it."""
    with pytest.raises(ProblemError) as caught:
        read(body)
    problem = caught.value.problem
    assert words in problem.detail + problem.mend
    if where:
        assert [each["where"] for each in problem.extra["problems"]] == [where]


def test_all_that_is_wrong_is_said_at_once() -> None:
    """Nobody should have to mend a request in five rounds."""
    with pytest.raises(ProblemError) as caught:
        read(b'{"a": 1, "b": 2}')
    assert len(caught.value.problem.extra["problems"]) == 4


def test_an_author_is_optional_and_a_length_has_its_end() -> None:
    """Who says nothing is recorded as `api`."""
    with Members(b"{}", KNOWN) as members:
        assert members.author() == "api"
    body = b'{"reason": "%b", "author": "%b"}' % (b"r" * (REASON_MAX + 1), b"a" * (AUTHOR_MAX + 1))
    with pytest.raises(ProblemError, match="501 characters"):
        read(body)


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b'"x"', b"\xff", b"[" * 100_000, b'{"a":' * 100_000, b"NaN"],
)
def test_what_is_not_a_json_object_is_refused(body: bytes) -> None:
    """Depth and rubbish are answered, never fatal."""
    with pytest.raises(ProblemError) as caught:
        Members(body, KNOWN)
    assert caught.value.problem.status == 400


def test_headers_come_as_strings_or_lists_of_strings() -> None:
    """A repeated header stands as often as it was given."""
    with Members(b'{"headers": {"A": "1", "B": ["2", "3"]}}', KNOWN) as members:
        assert members.headers("headers") == (("A", "1"), ("B", "2"), ("B", "3"))
    for body in (b'{"headers": ["A"]}', b'{"headers": {"A": 1}}', b'{"headers": {"A": [null]}}'):
        with pytest.raises(ProblemError, match="map names"), Members(body, KNOWN) as members:
            members.headers("headers")


@given(st.binary(max_size=200))
def test_no_body_is_ever_a_crash(body: bytes) -> None:
    """Any bytes are either read or answered with a problem."""
    try:
        with Members(body, KNOWN) as members:
            members.weight("weight")
            members.reason()
    except ProblemError:
        pass
