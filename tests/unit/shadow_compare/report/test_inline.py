import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.report.inline import apart


@pytest.mark.parametrize(
    ("left", "right", "own"),
    [
        ('"price": "29.00",', '"price": "29.50",', ("29.00", "29.50")),
        ('"price": "29.00",', '"price": 29.0,', ('"29.00"', "29.0")),
        ('"name": "Team"', '"name": "Teams"', ("Team", "Teams")),
        ('"on": 1', '"on": true', ("1", "true")),
        ("same", "same", ("same", "same")),
        ("", "x", ("", "x")),
    ],
)
def test_lines_are_split_at_words(left: str, right: str, own: tuple[str, str]) -> None:
    """What is marked is a value, not the digit of one; the name before it is not marked."""
    found = apart(left, right)
    assert (found[0].own, found[1].own) == own


@given(st.text(), st.text())
def test_nothing_is_lost(left: str, right: str) -> None:
    """The parts of a line are the line, and what is shared is the same on both sides."""
    one, other = apart(left, right)
    assert ("".join(one), "".join(other)) == (left, right)
    assert (one.before, one.after) == (other.before, other.after)
