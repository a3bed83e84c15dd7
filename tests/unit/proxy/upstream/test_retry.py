from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.outcome import OutcomeKind
from proxy.routing.upstream_rules import RetryBudgetRules
from proxy.upstream.retry import RetryBudget, may_fall_back, may_retry

IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
OTHERS = ("POST", "PATCH")


@pytest.mark.parametrize("method", [*IDEMPOTENT, *OTHERS])
@pytest.mark.parametrize("kind", list(OutcomeKind))
@pytest.mark.parametrize("reused", [True, False])
@pytest.mark.parametrize("answered", [True, False])
@pytest.mark.parametrize("keyed", [True, False])
def test_only_a_stale_connection_is_a_reason_to_retry(
    method: str, kind: OutcomeKind, reused: bool, answered: bool, keyed: bool
) -> None:
    """It was idle, it died before the first byte, and asking twice changes nothing."""
    stale = kind is OutcomeKind.RESET and reused and not answered
    allowed = stale and (method in IDEMPOTENT or keyed)
    assert may_retry(method, kind, reused=reused, answered=answered, keyed=keyed) is allowed


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_only_what_modern_never_saw_is_sent_to_legacy_whatever_it_does(kind: OutcomeKind) -> None:
    """A POST whose bytes may have been read is never sent twice."""
    assert all(may_fall_back(method, kind) for method in IDEMPOTENT)
    unseen = kind in (OutcomeKind.CONNECT, OutcomeKind.REJECTED)
    assert all(may_fall_back(method, kind) is unseen for method in OTHERS)


@pytest.mark.parametrize(
    ("active", "allowed"), [(1, 3), (10, 3), (15, 3), (19, 3), (20, 4), (100, 20), (104, 20)]
)
def test_a_fifth_of_what_is_in_flight_may_be_retries(active: int, allowed: int) -> None:
    """And three at least, so that a quiet proxy retries at all."""
    budget = RetryBudget(RetryBudgetRules())
    assert [budget.take_retry(active) for _ in range(allowed + 1)] == [True] * allowed + [False]


def test_what_has_ended_makes_room() -> None:
    """A budget bounds what is in flight, not what has been."""
    budget = RetryBudget(RetryBudgetRules(share=0.0, least=1))
    for _ in range(9):
        assert budget.take_retry(10)
        assert not budget.take_retry(10)
        budget.give_retry()


def test_fallbacks_have_a_share_of_their_own() -> None:
    """All requests in flight unless the rules say less: legacy served everybody before."""
    everything = RetryBudget(RetryBudgetRules())
    assert all(everything.take_fallback(50) for _ in range(50))
    half = RetryBudget(RetryBudgetRules(fallbacks=0.5, least=1))
    assert [half.has_fallback(4), half.take_fallback(4), half.take_fallback(4)] == [True] * 3
    assert (half.has_fallback(4), half.take_fallback(4)) == (False, False)
    half.give_fallback()
    assert (half.has_fallback(4), half.take_retry(4)) == (True, True)


def test_nothing_is_tried_again_when_the_rules_say_so() -> None:
    """0% and 0 mean never."""
    never = RetryBudget(RetryBudgetRules(share=0.0, least=0, fallbacks=0.0))
    assert [never.take_retry(1000), never.take_fallback(1000)] == [False, False]


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 200))
def test_the_bound_holds_in_every_order(steps: list[bool], active: int) -> None:
    """Never more in flight than the larger of both bounds."""
    rules = RetryBudgetRules(0.2, 3)
    budget, taken = RetryBudget(rules), 0
    for take in steps:
        if take:
            taken += budget.take_retry(active)
        elif taken:
            budget.give_retry()
            taken -= 1
        assert taken == budget.retries <= max(3, 0.2 * active)
