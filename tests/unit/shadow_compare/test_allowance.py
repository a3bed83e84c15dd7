from __future__ import annotations

from shadow_compare.allowance import Allowance


def test_it_fills_at_its_rate_up_to_one_second() -> None:
    """Two a second: two at once, then one each half second, and no more saved than two."""
    now = [100.0]
    allowance = Allowance(2.0, lambda: now[0])
    assert [allowance.take() for _ in range(3)] == [True, True, False]
    now[0] += 0.5
    assert [allowance.take() for _ in range(2)] == [True, False]
    now[0] += 60.0
    assert [allowance.take() for _ in range(3)] == [True, True, False]


def test_a_rate_below_one_saves_up_for_one() -> None:
    """Six a minute: one at once, and one more each ten seconds."""
    now = [0.0]
    allowance = Allowance(0.1, lambda: now[0])
    assert [allowance.take() for _ in range(2)] == [True, False]
    now[0] += 10.1
    assert [allowance.take() for _ in range(2)] == [True, False]


def test_no_rate_allows_nothing() -> None:
    """At zero a second nothing is ever allowed."""
    now = [0.0]
    allowance = Allowance(0.0, lambda: now[0])
    now[0] += 1_000.0
    assert not allowance.take()
