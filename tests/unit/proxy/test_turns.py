from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.turns import Turns


@given(st.integers(0, 300), st.integers(1, 40), st.integers(1, 25))
def test_everybody_has_a_turn_in_every_round(count: int, least: int, looks: int) -> None:
    """And no look is at more than its part."""
    turns: Turns[int] = Turns(least, looks)
    everybody = range(count)
    for _ in range(3):
        seen = [turns.next(everybody) for _ in range(looks)]
        assert {each for look in seen for each in look} == set(everybody)
        assert max(map(len, seen)) <= max(least, -(-count // looks))


@given(st.lists(st.integers(0, 300), min_size=1, max_size=60))
def test_those_who_stay_have_their_turns_while_others_come_and_go(counts: list[int]) -> None:
    """No look is outside of what is there now."""
    turns: Turns[int] = Turns(7, 20)
    for count in counts:
        assert set(turns.next(range(count))) <= set(range(count))


def test_few_are_looked_at_each_time() -> None:
    """There is nothing to spread."""
    turns: Turns[str] = Turns(3, 20)
    assert [turns.next("abc") for _ in range(2)] == ["abc", "abc"]
