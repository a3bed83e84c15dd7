from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow_compare.compare import compare
from shadow_compare.formats import format_of
from shadow_compare.normalize import Content
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Verdict
from tests.support_formats import TODAY, answer, compared, told

TYPES = {
    "application/json": Content.JSON,
    "text/html": Content.HTML,
    "application/xml": Content.XML,
    "text/csv": Content.CSV,
    "application/pdf": Content.PDF,
    "text/plain": Content.TEXT,
    "image/png": Content.BYTES,
}


@pytest.mark.parametrize(("media_type", "content"), TYPES.items())
def test_bodies_of_one_type_are_read_as_it(media_type: str, content: Content) -> None:
    """Also when one side does not say what its body is."""
    typed = answer("", media_type)
    assert format_of(typed, typed).content is content
    assert format_of(answer("", ""), typed).content is content
    assert format_of(typed, answer("", "")).content is content


@pytest.mark.parametrize("other", ["application/json", "application/xml", "text/csv", "text/plain"])
def test_the_type_that_says_more_is_believed(other: str) -> None:
    """PHP calls everything HTML that it was not told the type of."""
    html = answer("", "text/html")
    assert format_of(html, answer("", other)).content is TYPES[other]
    assert format_of(answer("", other), html).content is TYPES[other]


def test_different_types_differ_in_the_header_and_not_in_the_body() -> None:
    """CSV that one side calls HTML is compared as CSV."""
    found = compare(
        answer("a,b\n1,2\n", "text/html"),
        answer('"a","b"\n1,2\n', "text/csv"),
        CompareRules(),
        TODAY,
    )
    assert found.places == (("value_changed", "headers.content-type"),)


def test_bytes_on_one_side_make_bytes_of_both() -> None:
    """A picture against a page is compared by digest."""
    assert format_of(answer("", "image/png"), answer("", "text/html")).content is Content.BYTES
    assert told(b"\x89a", b"\x89b", "image/png") == ["value_changed $"]


@pytest.mark.parametrize(
    ("media_type", "piece"),
    [("text/html", "<b>"), ("application/xml", "<a/>"), ("text/plain", "\n"), ("text/csv", ";"),
     ("application/x-www-form-urlencoded", "a&")],
)  # fmt: skip
def test_bodies_of_too_many_pieces_are_not_read(media_type: str, piece: str) -> None:
    """What would take hundreds of megabytes when it is read is too big, whatever its length."""
    body = piece * 1_000_001
    assert compared(body, body + "x", media_type).reason == "too_big"


@settings(deadline=None)  # the first PDF loads its library
@given(
    st.sampled_from(sorted(TYPES)),
    st.sampled_from(["", "; charset=utf-8", "; charset=latin1", "; charset=utf-16"]),
    st.binary(max_size=60),
    st.binary(max_size=60),
)
def test_any_bytes_have_a_verdict(media_type: str, charset: str, old: bytes, new: bytes) -> None:
    """Whatever a body is called, nothing in it ends in an error, and it equals itself."""
    assert compared(old, old, media_type + charset).verdict is Verdict.MATCH
    assert compared(old, new, media_type + charset).verdict is not None
