from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.difference import ValueChanged
from tests.support_formats import compared, told

PLAIN = "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("a\nb\nc\n", "a\nB\nc\n", ["value_changed text[1]"]),
        ("a\nb\nc\n", "a\nc\n", ["missing text[1]"]),
        ("a\nc\n", "a\nb\nc\n", ["extra text[1]"]),
        ("a\nb\nc\n", "c\na\nb\n", ["reordered text[2]"]),
        ("a\r\nb\r\n", "a\nb", []),
        ("a  b", "a b", ["value_changed text[0]"]),
        ("a\n\nb", "a\nb", ["missing text[1]"]),
        ("", "a", ["extra text[0]"]),
        ("\ufeffa", "a", []),
    ],
)
def test_lines_are_aligned(old: str, new: str, expected: list[str]) -> None:
    """A line more or less does not make all that follow different."""
    assert told(old, new, PLAIN) == expected


def test_long_line_shows_where_it_changes() -> None:
    """Of a line of a thousand characters what surrounds the change is shown."""
    old = "x" * 1000 + "price 9,90" + "y" * 1000
    (found,) = compared(old, old.replace(",", "."), PLAIN).differences
    assert isinstance(found, ValueChanged)
    assert "price 9,90" in found.old
    assert "price 9.90" in found.new


@given(st.lists(st.sampled_from(["a", "b", ""]), min_size=1, max_size=8), st.data())
def test_one_changed_line_is_found(lines: list[str], data: st.DataObject) -> None:
    """Wherever it stands, and it is the only one."""
    at = data.draw(st.integers(0, len(lines) - 1))
    new = [*lines[:at], "changed", *lines[at + 1 :]]
    assert told("\n".join([*lines, "z"]), "\n".join([*new, "z"]), PLAIN) == [
        f"value_changed text[{at}]"
    ]
