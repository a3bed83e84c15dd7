from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.upstream.balance import WARMTH_LEAST, pick, warmth

NOW = 1000.0
DRAWS = 12_000


@dataclass
class One:
    """An instance as the choice sees it."""

    name: str
    load: int = 0
    since: float = -inf


def shares(candidates: list[One], slow_start: float = 0.0) -> dict[str, float]:
    """Give who is chosen how often when chance goes evenly through all it can be."""
    chosen = Counter(pick(candidates, draw / DRAWS, NOW, slow_start).name for draw in range(DRAWS))
    return {one.name: round(chosen[one.name] / DRAWS, 3) for one in candidates}


def test_equals_share_equally() -> None:
    """Nobody is favoured by where it stands in the list."""
    assert shares([One("a"), One("b")]) == {"a": 0.5, "b": 0.5}
    assert shares([One(name) for name in "abcd"]) == dict.fromkeys("abcd", 0.25)


def test_of_two_the_less_loaded_is_chosen() -> None:
    """Always: with two instances both are drawn."""
    assert shares([One("a", 3), One("b", 2)]) == {"a": 0.0, "b": 1.0}


def test_the_most_loaded_of_many_is_never_chosen() -> None:
    """And the idlest is not overrun: it gets what draws it."""
    found = shares([One("a", 9), One("b", 1), One("c", 0)])
    assert found == {"a": 0.0, "b": round(1 / 3, 3), "c": round(2 / 3, 3)}


def test_the_only_one_is_chosen_whatever_its_load() -> None:
    """There is nothing to draw."""
    only = One("a", 99)
    assert pick([only], 0.999, NOW, 60.0) is only


@pytest.mark.parametrize(
    ("age", "expected"), [(0.0, WARMTH_LEAST), (1.0, WARMTH_LEAST), (5.0, 0.5), (10.0, 1.0)]
)
def test_a_newcomer_warms_up(age: float, expected: float) -> None:
    """From a tenth of its share to all of it, in a straight line."""
    assert warmth(NOW - age, NOW, 10.0) == expected


def test_who_was_always_there_is_warm() -> None:
    """With and without a slow start."""
    assert warmth(-inf, NOW, 10.0) == 1.0
    assert warmth(NOW, NOW, 0.0) == 1.0


def test_a_newcomer_gets_part_of_its_share() -> None:
    """Half of it when half the time has passed; the other takes the rest."""
    found = shares([One("old"), One("new", since=NOW - 5.0)], slow_start=10.0)
    assert found == {"old": 0.75, "new": 0.25}


def test_a_newcomer_without_load_is_not_overrun() -> None:
    """Otherwise the one that has just come back would get everything."""
    found = shares([One("old", 10), One("new", 0, since=NOW - 2.0)], slow_start=10.0)
    assert found == {"old": 0.8, "new": 0.2}


def test_newcomers_among_themselves_are_equal() -> None:
    """A start of everything is no slow start."""
    assert shares([One("a", since=NOW), One("b", since=NOW)], 10.0) == {"a": 0.5, "b": 0.5}


@given(
    st.lists(st.tuples(st.integers(0, 5), st.sampled_from([-inf, 995.0, NOW])), min_size=1),
    st.floats(0.0, 1.0, exclude_max=True),
    st.sampled_from([0.0, 10.0]),
)
def test_somebody_is_always_chosen(
    members: list[tuple[int, float]], chance: float, slow_start: float
) -> None:
    """Whatever chance says; and never the single most loaded one when all are warm."""
    candidates = [One(str(i), load, since) for i, (load, since) in enumerate(members)]
    chosen = pick(candidates, chance, NOW, slow_start)
    assert chosen in candidates
    if slow_start == 0.0 and len(candidates) > 1:
        others = [one.load for one in candidates if one is not chosen]
        assert chosen.load <= max(others)
