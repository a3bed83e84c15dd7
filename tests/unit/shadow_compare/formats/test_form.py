from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.formats.form import read_form
from shadow_compare.rules import CompareRules
from tests.support_formats import answer, told

FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a=1&b=x+y%20z", {"a": "1", "b": "x y z"}),
        ("a=1&a=2&a=", {"a": ["1", "2", ""]}),
        ("a&b=&&=c", {"a": "", "b": "", "": "c"}),
        ("a=%zz&%E2%82%AC=%C3%AB", {"a": "%zz", "€": "ë"}),
        ("a=%ff", {"a": "\ufffd"}),
        ("", {}),
    ],
)
def test_pairs(body: str, expected: dict[str, object]) -> None:
    """Escapes, plus signs, repeated and empty names."""
    assert read_form(body.encode(), answer(body, FORM)) == expected


def test_fields_are_compared_by_name() -> None:
    """Order and spelling say nothing; a value does, and can be ruled out."""
    assert told("a=1&b=x+y", "b=x%20y&a=1", FORM) == []
    assert told("a=1&token=x", "a=2&token=y", FORM) == [
        "value_changed form.a", "value_changed form.token",
    ]  # fmt: skip
    rules = CompareRules.build(ignore=[{"path": "form.token"}])
    assert told("a=1&token=x", "a=1&token=y", FORM, rules) == []


@given(st.text("ab=&%+2", max_size=30))
def test_any_body_equals_itself(body: str) -> None:
    """With another separator in front the pairs are the same."""
    assert told(body, "&" + body, FORM) == []
