import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.merging import merged

BASE = "a\nb\nc\nd\n"


@pytest.mark.parametrize(
    ("mine", "theirs", "both"),
    [
        ("A\nb\nc\nd\n", "a\nb\nc\nD\n", "A\nb\nc\nD\n"),
        ("a\nb\nc\n", "new\na\nb\nc\nd\n", "new\na\nb\nc\n"),
        ("a\nB\nc\nd\n", "a\nb\nC\nd\n", "a\nB\nC\nd\n"),
        ("a\nB\nc\nd\n", "a\nX\nc\nd\n", None),
        ("a\nb\nc\nd\nmine\n", "a\nb\nc\nd\ntheirs\n", None),
        ("a\nB\nc\nd\n", "a\nB\nc\nD\n", "a\nB\nc\nD\n"),
        (BASE, "a\n", "a\n"),
        ("", BASE, ""),
        ("", "x\n", None),
    ],
)
def test_two_edits_come_together_or_are_told_apart(
    mine: str, theirs: str, both: str | None
) -> None:
    """Edits of other lines are both kept, the same edit counts once, the same lines are left."""
    assert merged(BASE, mine, theirs) == both
    assert merged(BASE, theirs, mine) == both


LINES = st.lists(st.sampled_from("abcd"), max_size=8).map(
    lambda each: "".join(f"{x}\n" for x in each)
)


@given(LINES, LINES)
def test_who_edits_alone_gets_what_was_written(base: str, mine: str) -> None:
    """Nothing is added to an edit that nobody else collides with."""
    assert merged(base, mine, base) == mine
    assert merged(base, base, mine) == mine
    assert merged(base, mine, mine) == mine
