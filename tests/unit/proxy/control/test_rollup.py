from __future__ import annotations

import pytest

from proxy.control.interval import EVERY_ROUTE, Interval, SideCounts
from proxy.control.rollup import A_DAY, COARSE, HOUR, TEN_MINUTES, Adder, Grain, coarse, end_of
from proxy.outcome import LATENCY_GROWTH, latency_of


@pytest.mark.parametrize(
    ("at", "grain", "end"),
    [
        (600.0, TEN_MINUTES, 600.0),
        (600.1, TEN_MINUTES, 1200.0),
        (1.0, HOUR, 3600.0),
        (86_400.0, A_DAY, 86_400.0),
        (86_460.0, A_DAY, 172_800.0),
    ],
)
def test_an_interval_belongs_where_it_ends(at: float, grain: Grain, end: float) -> None:
    """The end of a roll-up belongs to it, its beginning to the one before."""
    assert end_of(at, grain) == end


def test_parts_add_up_to_each_route_and_to_all() -> None:
    """Counts are added, the weight is the last, and the time is what was watched."""
    side = SideCounts(10, 1, 11, 1, {100: 10})
    adder = Adder()
    for at, weight in ((60.0, 0), (120.0, 1000)):
        adder.add(
            [
                Interval(EVERY_ROUTE, at, 60.0),
                Interval("plans", at, 60.0, 7, weight, side, side, {"match": 3}),
            ]
        )
    adder.add([Interval("users", 120.0, 60.0, 8, 500, side)])
    every, plans, users = adder.rollups(600.0)
    both = SideCounts(20, 2, 22, 2, {100: 20})
    assert plans == Interval("plans", 600.0, 120.0, 7, 1000, both, both, {"match": 6})
    assert users.legacy == side
    assert (every.route, every.weight, every.version) == (EVERY_ROUTE, 0, 8)
    assert every.legacy.served == 33
    assert every.modern.served == 22


def test_coarse_latencies_stay_near() -> None:
    """A latency is told exact to the half of a coarse bucket, and made coarse but once."""
    for bucket in range(-120, 700):
        error = latency_of(coarse(bucket)) / latency_of(bucket)
        assert error > LATENCY_GROWTH ** -(COARSE // 2) * 0.999
        assert error < LATENCY_GROWTH ** (COARSE // 2) * 1.001
        assert coarse(coarse(bucket)) == coarse(bucket)
