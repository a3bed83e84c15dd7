from __future__ import annotations

from itertools import pairwise
from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.formats.alignment import align, gaps, moved

RUNS = st.lists(st.sampled_from("abcd"), max_size=12)


def longest(old: list[str], new: list[str]) -> int:
    """Give the length of the longest common subsequence, by the definition."""
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for i, one in enumerate(old):
        for j, other in enumerate(new):
            lengths[i + 1][j + 1] = (
                lengths[i][j] + 1 if one == other else max(lengths[i][j + 1], lengths[i + 1][j])
            )
    return lengths[-1][-1]


@given(RUNS, RUNS)
def test_pairs_are_equal_and_in_order(old: list[str], new: list[str]) -> None:
    """Whatever the runs hold, only equal entries are paired, and no pair crosses another."""
    pairs = align(old, new)
    assert all(old[i] == new[j] for i, j in pairs)
    assert all(a < b and c < d for (a, c), (b, d) in pairwise(pairs))


@given(RUNS, RUNS)
def test_without_anchors_nothing_that_could_be_kept_is_lost(old: list[str], new: list[str]) -> None:
    """Where every entry stands twice, the shortest edit is found."""
    twice_old, twice_new = [*old, *old, "e", "e"], [*new, *new, "f", "f"]
    if not {"a", "b", "c", "d"} & {each for each in "abcd" if (old + new).count(each) == 0}:
        assert len(align(twice_old, twice_new)) == longest(twice_old, twice_new)


def test_inserted_entry_is_the_only_gap() -> None:
    """One line more is one line more, and everything after it is still the same."""
    old = [f"line {i}" for i in range(1000)]
    new = [*old[:500], "new", *old[500:]]
    assert list(gaps(align(old, new), len(old), len(new))) == [(range(500, 500), range(500, 501))]


def test_moved_entries_are_found_wherever_they_stand() -> None:
    """What is missing here and extra there has moved; the first of several goes first."""
    assert moved("abcb", "bbxa", [0, 1, 3], [0, 1, 3]) == [(0, 3), (1, 0), (3, 1)]


def test_time_stays_bounded_for_the_worst_sequences() -> None:
    """A hundred thousand entries: all others, reversed, or two values in a random-looking order."""
    count = 100_000
    two = [str(i * i % 7 % 2) for i in range(count)]
    started = process_time()
    assert align([f"a{i}" for i in range(count)], [f"b{i}" for i in range(count)]) == []
    assert len(align(list(range(count)), list(range(count))[::-1])) == 1
    align(two, two[::-1][: count - 3])
    assert process_time() - started < 4.0
