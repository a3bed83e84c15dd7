import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.report.cursor import Cursor


@given(st.booleans(), st.integers(0, 10**17), st.from_regex(r"[0-9a-f]{16}", fullmatch=True))
def test_what_is_written_is_read(critical: bool, count: int, name: str) -> None:
    """A cursor comes back from an address as it went in."""
    cursor = Cursor(critical, count, name)
    assert Cursor.read(str(cursor)) == cursor


@pytest.mark.parametrize(
    "text", ["", "1", "2.3.a", "1.-3.a", "1.3.", "1.3.a'--", "1.٣.a", "1.3.a\n"]
)
def test_anything_else_is_none(text: str) -> None:
    """A mangled address names no place in the list."""
    assert Cursor.read(text) is None
