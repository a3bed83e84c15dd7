from __future__ import annotations

from collections import Counter

import pytest

from proxy.admin.series import RANGES, modern_share, read_series, spread, with_gaps
from proxy.control.interval import Interval
from proxy.control.rollup import A_DAY
from proxy.outcome import latency_bucket
from tests.support_console import FakeController
from tests.support_series import counts, minute, past_hours, rolled_up

NOW = 1_790_000_000.0


@pytest.fixture
def controller() -> FakeController:
    """A controller with a past."""
    found = FakeController(clock=lambda: NOW)
    found.minutes = past_hours("plans", NOW, 1000)
    found.rolled = rolled_up("plans", NOW, 1000)
    return found


@pytest.mark.parametrize(("name", "points"), [("15m", 15), ("1h", 60), ("6h", 360)])
async def test_hours_are_read_by_the_minute(
    controller: FakeController, name: str, points: int
) -> None:
    """One interval a minute, none of them older than the range."""
    series = await read_series(controller, RANGES[name], NOW, "plans")
    assert len(series.intervals) == pytest.approx(points, abs=1)
    assert series.intervals[0].at >= NOW - RANGES[name].seconds
    assert {each.seconds for each in series.intervals} == {60.0}


async def test_what_is_not_rolled_up_yet_is_there(controller: FakeController) -> None:
    """The newest minutes make the last point of a day, so that a chart ends now."""
    controller.rolled = [(n, each) for n, each in controller.rolled if n == 600 if each.at < NOW]
    series = await read_series(controller, RANGES["24h"], NOW, "plans")
    rest = [each for each in controller.minutes if each.at > controller.rolled[-1][1].at]
    assert rest
    assert series.intervals[-1].at == rest[-1].at
    assert series.intervals[-1].modern.served == sum(each.modern.served for each in rest)
    assert series.intervals[-1].seconds == 60.0 * len(rest)


async def test_all_traffic_is_told_by_the_day(controller: FakeController) -> None:
    """The share that modern answers grows over weeks."""
    series = await read_series(controller, RANGES["26w"], NOW)
    shares = [share for each in series.intervals if (share := modern_share(each)) is not None]
    assert len(shares) == 40
    assert shares == sorted(shares)
    assert series.range.step == A_DAY.seconds


async def test_decisions_are_marked(controller: FakeController) -> None:
    """Those of the route, and those that concern all routes."""
    await controller.set_weight("plans", 2500, author="ada", reason="gate passed")
    await controller.set_weight("users.read", 0, author="ada", reason="another route")
    controller.take_back("plans", "cutover", "errors", {})
    series = await read_series(controller, RANGES["1h"], NOW, "plans")
    assert [(mark.kind, mark.label) for mark in series.marks] == [
        ("rules", "rules 18"),
        ("step", "25%"),
        ("rollback", "rolled back"),
    ]


def test_a_gap_breaks_the_line() -> None:
    """Where minutes are missing there is one without length, whose figures are none."""
    found = with_gaps([minute("plans", 60.0, 0), minute("plans", 300.0, 0)], 60.0)
    assert [each.at for each in found] == [60.0, 120.0, 300.0]
    assert found[1] == Interval("plans", 120.0, 0.0)


def test_latencies_are_spread_over_bounds() -> None:
    """Each is counted once, the longest in the last."""
    latencies = Counter({latency_bucket(seconds): 2 for seconds in (0.004, 0.04, 0.4, 40.0)})
    assert spread(latencies, [0.005, 0.05, 0.5]) == [2, 2, 2, 2]
    assert spread(Counter(), [1.0]) == [0, 0]


def test_a_share_needs_answers() -> None:
    """Of nothing there is none."""
    assert modern_share(Interval("", 0.0, 60.0)) is None
    assert modern_share(Interval("", 0.0, 60.0, legacy=counts(30), modern=counts(10))) == 0.25
