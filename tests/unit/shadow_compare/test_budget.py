from __future__ import annotations

import pytest

from shadow_compare import budget
from shadow_compare.budget import Budget, check_depth
from shadow_compare.json_value import DEPTH_MAX
from shadow_compare.normalize import NotComparableError


def test_nodes_are_spent_to_the_last() -> None:
    """The budget is over when more is spent than there was, in whatever steps."""
    for step in (1, 7, 100):
        purse = Budget(100)
        for _ in range(100 // step):
            purse.spend(step)
        with pytest.raises(NotComparableError, match="too_big"):
            purse.spend(100)


def test_time_is_looked_at_every_few_thousand_nodes() -> None:
    """A comparison whose time is up ends soon after, and asks for the time seldom."""
    asked: list[int] = []

    def is_over() -> bool:
        asked.append(1)
        return len(asked) == 3

    purse = Budget(10**9, is_over)
    with pytest.raises(NotComparableError, match="too_slow"):
        list(map(purse.spend, [1] * 100_000))
    assert 10**9 - purse.nodes < 30_000
    assert len(asked) == 3


def test_large_bodies_are_refused_before_they_are_parsed() -> None:
    """By their bytes, and by the parts they could fall into."""
    purse = Budget()
    purse.check_size(bytes(budget.BYTES_MAX))
    with pytest.raises(NotComparableError, match="too_big"):
        purse.check_size(bytes(budget.BYTES_MAX + 1))
    with pytest.raises(NotComparableError, match="too_big"):
        Budget(bytes_max=9).check_size(bytes(10))
    for part in (b"[],", b"{},", b"1,", b"["):
        with pytest.raises(NotComparableError, match="too_big"):
            purse.check_size(part * (budget.PARTS_MAX + 1))


def test_depth_has_a_limit() -> None:
    """Recursion never goes deeper than a stack allows."""
    check_depth(DEPTH_MAX)
    with pytest.raises(NotComparableError, match="too_deep"):
        check_depth(DEPTH_MAX + 1)
