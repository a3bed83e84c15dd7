from __future__ import annotations

from shadow_compare.report.filters import KINDS, SEARCH_MAX, WORDS_MAX, Filters


def test_words_are_bounded() -> None:
    """Every word is looked for in every group, so there are only so many."""
    many = Filters(search=" ".join(f"w{number}" for number in range(50)))
    assert many.words == tuple(f"w{number}" for number in range(WORDS_MAX))
    assert sum(map(len, Filters(search="x" * 10_000).words)) == SEARCH_MAX


def test_every_kind_of_difference_can_be_asked_for() -> None:
    """By the name that reports tell."""
    assert set(KINDS) == {
        "missing", "extra", "type_changed", "value_changed", "reordered", "length_changed",
    }  # fmt: skip
