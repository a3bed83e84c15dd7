from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.budget import MirrorBudget
from proxy.serving.budgets import Budgets

NONE = MirrorBudget()


def budgets(route: MirrorBudget = NONE, total: MirrorBudget = NONE, workers: int = 1) -> Budgets:
    """Give the budgets of the routes `a` and `b`, both alike, and of all."""
    found = Budgets(workers)
    found.follow([("a", route), ("b", route)], total)
    return found


def begun(of: Budgets, number: int, now: float, route: str = "a") -> list[str]:
    """Try to begin so many captures at one moment; give the reasons why not."""
    return [why for _ in range(number) if (why := of.refusal(route, now))]


def test_without_a_budget_nothing_is_refused() -> None:
    """And nothing is counted."""
    of = budgets()
    of.charge("a", 10**12, 0.0)
    assert begun(of, 1000, 0.0) == []


def test_a_route_has_its_rate() -> None:
    """One second brings at once what it allows; then they come one by one."""
    of = budgets(MirrorBudget(rate=2.0))
    assert begun(of, 3, 10.0) == ["route_rate"]
    assert begun(of, 2, 10.5) == ["route_rate"]
    assert begun(of, 2, 10.5, "b") == []
    assert begun(of, 9, 100.0) == ["route_rate"] * 7


def test_less_than_one_a_second_is_possible() -> None:
    """Such as six a minute."""
    of = budgets(MirrorBudget(rate=0.1))
    assert begun(of, 2, 0.0) == ["route_rate"]
    assert begun(of, 1, 9.9) == ["route_rate"]
    assert begun(of, 1, 10.0) == []


def test_bytes_are_owed_until_they_are_paid() -> None:
    """What a capture weighs is known at its end; the next one waits for it."""
    of = budgets(MirrorBudget(bandwidth=1000.0))
    assert begun(of, 5, 0.0) == []
    of.charge("a", 5000, 0.0)
    assert begun(of, 1, 3.9) == ["route_bytes"]
    assert begun(of, 1, 3.9, "b") == []
    assert begun(of, 1, 4.1) == []


def test_all_routes_have_one_budget_together() -> None:
    """Whichever of them asks; what is refused for it takes nothing of the route's own."""
    of = budgets(MirrorBudget(rate=3.0), MirrorBudget(rate=4.0, bandwidth=100.0))
    assert begun(of, 3, 0.0) == []
    assert begun(of, 3, 0.0, "b") == ["total_rate"] * 2
    of.charge("b", 1000, 1.0)
    assert begun(of, 1, 1.0) == ["total_bytes"]
    assert begun(of, 1, 11.0) == []


def test_workers_share_a_budget() -> None:
    """Each keeps to its equal part."""
    of = budgets(MirrorBudget(rate=10.0), workers=2)
    assert len(begun(of, 10, 0.0)) == 5


def test_new_rules_keep_what_is_spent_of_a_budget_that_stays() -> None:
    """And forgive it when the budget is another."""
    of = budgets(MirrorBudget(rate=1.0))
    assert begun(of, 1, 0.0) == []
    of.follow([("a", MirrorBudget(rate=1.0))], NONE)
    assert begun(of, 1, 0.5) == ["route_rate"]
    of.follow([("a", MirrorBudget(rate=2.0))], NONE)
    assert begun(of, 2, 0.5) == []
    of.follow([], NONE)
    assert begun(of, 99, 0.5) == []


@given(
    st.lists(st.tuples(st.floats(0, 0.4), st.integers(0, 300)), max_size=200),
    st.sampled_from([0.5, 3.0, 50.0]),
    st.sampled_from([10.0, 500.0]),
)
def test_over_time_no_more_is_spent_than_allowed(
    steps: list[tuple[float, int]], rate: float, bandwidth: float
) -> None:
    """Whenever captures come and whatever they weigh: a second's worth ahead, and the last one."""
    of = budgets(MirrorBudget(rate=rate, bandwidth=bandwidth))
    now, number, octets, last = 0.0, 0, 0, 0
    for wait, size in steps:
        now += wait
        if of.refusal("a", now) == "":
            number, octets, last = number + 1, octets + size, size
            of.charge("a", size, now)
    assert number <= rate * now + max(1.0, rate) + 0.01
    assert octets - last <= bandwidth * now + bandwidth + 0.01


@pytest.mark.parametrize("unknown", ["", "c"])
def test_a_route_that_is_gone_has_no_budget(unknown: str) -> None:
    """An exchange may outlive the rules that it began under."""
    of = budgets(MirrorBudget(rate=1.0))
    assert begun(of, 3, 0.0, unknown) == []
    of.charge(unknown, 5, 0.0)
