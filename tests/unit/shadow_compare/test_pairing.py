from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare import pairing
from shadow_compare.pairing import (
    Pairing,
    _common_subsequence,
    _with_few_edits,
    pair_by_content,
    pair_by_key,
)


def test_keys_pair_elements_wherever_they_stand() -> None:
    """Elements with the same key belong together, and the others are left over."""
    found = pair_by_key(["a", "b", "c"], ["c", "a", "d"])
    assert found == Pairing(((0, 1), (2, 0)), missing=(1,), extra=(2,))
    assert found.reordered


def test_keys_that_stand_twice_do_not_pair() -> None:
    """A key that does not identify is no key."""
    assert pair_by_key(["a", "a"], ["a"]) is None
    assert pair_by_key(["a"], ["a", "a"]) is None


def test_an_inserted_element_shifts_nothing() -> None:
    """One more element in front is one extra element, not a difference in each."""
    assert pair_by_content("abc", "xabc") == Pairing(((0, 1), (1, 2), (2, 3)), (), extra=(0,))


def test_changed_elements_pair_within_their_gap() -> None:
    """Between elements that stayed, what changed is compared with what took its place."""
    assert pair_by_content("aXb", "aYb").pairs == ((0, 0), (1, 1), (2, 2))


def test_moved_elements_are_recognized() -> None:
    """An element that stands elsewhere is a change of order, not one missing and one extra."""
    found = pair_by_content("abcd", "bcda")
    assert found.pairs == ((0, 3), (1, 0), (2, 1), (3, 2))
    assert found.reordered


def test_a_hundred_thousand_elements_in_another_order_find_each_other() -> None:
    """Where each element is one of a kind, the longest common subsequence is found at any size."""
    forward = list(range(100_000))
    turned = [*forward[1000:], *forward[:1000]]
    found = pair_by_content(forward, turned)
    assert not found.missing
    assert all(forward[i] == turned[j] for i, j in found.pairs)
    assert found.reordered


def test_elements_that_repeat_too_often_keep_their_order() -> None:
    """Beyond the cap what is in order stays so, and only what is left over is told."""
    size = 2 * int(pairing.MATCHES_MAX**0.5)
    found = pair_by_content([0, 1] * size, [1, *[0, 1] * (size // 2), 1, 0, *[0, 1] * (size // 2)])
    assert not found.reordered
    assert not found.missing
    assert len(found.extra) == 3


@given(st.text("abcd", max_size=12), st.text("abcd", max_size=12))
def test_longest_common_subsequence_is_the_longest(old: str, new: str) -> None:
    """It is as long as the one of the textbook's table, rises on both sides, and is common."""
    found = _common_subsequence([ord(each) for each in old], [ord(each) for each in new])
    assert len(found) == textbook(old, new)
    assert all(old[i] == new[j] for i, j in found)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


@given(st.text("abcd", max_size=12), st.text("abcd", max_size=12), st.integers(0, 24))
def test_few_edits_are_found_without_looking_at_all_matches(old: str, new: str, edits: int) -> None:
    """The same length comes out by the other way, unless there are more edits than it may take."""
    found = _with_few_edits([ord(each) for each in old], [ord(each) for each in new], edits)
    longest = textbook(old, new)
    assert len(found) == (longest if len(old) + len(new) - 2 * longest <= edits else 0)
    assert all(old[i] == new[j] for i, j in found)
    assert all(a < c and b < d for (a, b), (c, d) in pairwise(found))


def textbook(old: str, new: str) -> int:
    """Give the length of the longest common subsequence by the table of Wagner and Fischer."""
    row = [0] * (len(new) + 1)
    for each in old:
        above = row
        row = [0]
        for j, other in enumerate(new):
            row.append(above[j] + 1 if each == other else max(row[j], above[j + 1]))
    return row[-1]


def test_shifting_moves_every_index() -> None:
    """A pairing of the middle becomes one of the whole."""
    assert Pairing(((0, 1),), (2,), (3,)).shifted(10) == Pairing(((10, 11),), (12,), (13,))


@given(st.text("abc", max_size=12), st.text("abc", max_size=12))
def test_every_element_is_accounted_for_once(old: str, new: str) -> None:
    """Each index of both sides is in exactly one pair or left over, and equal ones never remain."""
    found = pair_by_content(old, new)
    assert sorted([i for i, _ in found.pairs] + list(found.missing)) == list(range(len(old)))
    assert sorted([j for _, j in found.pairs] + list(found.extra)) == list(range(len(new)))
    left_old = {old[i] for i in found.missing}
    left_new = {new[j] for j in found.extra}
    assert not left_old & left_new
