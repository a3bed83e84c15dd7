from __future__ import annotations

import pytest

from proxy.rollout.power import information, power


def test_as_the_operator_reads_it() -> None:
    """Traffic, weight, and what would be caught when: ln G / D(p1 || p0) requests."""
    assert str(power(1000, 12.0)) == (
        "at 10% of 12 rps, a jump from 0.5% to 5% errors will be caught after about 194 modern"
        " requests, 2.7 min"
    )


@pytest.mark.parametrize(
    ("jump", "requests"), [(0.999_999, 2.6), (0.5, 7.0), (0.1, 66.0), (0.05, 194.0)]
)
def test_limit_of_every_procedure(jump: float, requests: float) -> None:
    """The table of the specification, at one false alarm in a million."""
    assert 13.8155 / information(jump, 0.005) == pytest.approx(requests, rel=0.02)


def test_without_traffic() -> None:
    """Nothing can be said of the time, and nothing is."""
    told = power(5000, 0.0)
    assert told.seconds is None
    assert str(told).endswith("194 modern requests; there is no traffic now")


@pytest.mark.parametrize(("usual", "jump"), [(0.0, 0.05), (0.02, 0.2), (0.5, 0.9)])
def test_from_what_is_usual(usual: float, jump: float) -> None:
    """The jump told of is ten times the usual rate, which is never taken to be below 0.5%."""
    found = power(1000, 1.0, usual)
    assert found.jump == pytest.approx(jump)
    assert found.usual >= 0.005


def test_more_weight_is_caught_sooner() -> None:
    """Twice the share of the traffic, half the time."""
    slow, fast = power(1000, 10.0), power(2000, 10.0)
    assert slow.seconds is not None
    assert fast.seconds is not None
    assert slow.seconds == pytest.approx(2 * fast.seconds)
