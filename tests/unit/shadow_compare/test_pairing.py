from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare import pairing
from shadow_compare.pairing import Pairing, key_of, pair_by_content, pair_by_key


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


def test_large_arrays_are_paired_without_the_table() -> None:
    """Beyond the cap equal elements still find each other."""
    size = int(pairing.ALIGN_CELLS_MAX**0.5) + 1
    forward = list(range(size))
    found = pair_by_content(forward, forward[::-1])
    assert found.pairs == tuple((i, size - 1 - i) for i in range(size))
    assert not found.missing


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


def test_only_objects_have_keys() -> None:
    """What is no object, or lacks the member, has no key."""
    assert key_of({"id": 3}, "id") == 3
    assert key_of({}, "id") is None
    assert key_of([3], "id") is None
