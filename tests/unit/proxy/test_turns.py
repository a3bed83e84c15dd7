from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.turns import Turns


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 6), st.integers(6, 25))
def test_everybody_has_a_turn_in_every_round(count: int, part: int, fewest: int, most: int) -> None:
    """And no look is at more than its part."""
    turns: Turns[int] = Turns(part, fewest, most)
    everybody = range(count)
    for _ in range(3):
        seen = [turns.next(everybody) for _ in range(most)]
        assert {each for look in seen for each in look} == set(everybody)
        assert max(map(len, seen)) <= max(part, -(-count // most))
        assert max(map(len, seen)) <= -(-count // fewest)


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60))
def test_those_who_stay_have_their_turns_while_others_come_and_go(counts: list[int]) -> None:
    """No look is outside of what is there now."""
    turns: Turns[int] = Turns(7, 1, 20)
    for count in counts:
        assert set(turns.next(range(count))) <= set(range(count))


def test_few_are_looked_at_each_time_or_as_seldom_as_is_wanted() -> None:
    """There is nothing to spread; but there may be something to wait for."""
    often: Turns[str] = Turns(3, 1, 20)
    assert [often.next("abc") for _ in range(2)] == ["abc", "abc"]
    seldom: Turns[str] = Turns(3, 2, 20)
    assert [seldom.next("abc") for _ in range(4)] == ["ab", "c", "ab", "c"]
