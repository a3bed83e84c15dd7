from __future__ import annotations

import pytest

from proxy.control.live import JUDGED_AT_LEAST_EVERY, JUDGED_AT_MOST_EVERY, LiveRoute, Position
from proxy.outcome import ComparisonCount, Tally
from proxy.rollout.plan import Progress
from tests.support_routing import route, rules


@pytest.fixture
def live() -> LiveRoute:
    """Give a route that has just been judged, at second 0."""
    found = rules(route("/a", "a", weight="50%"))
    live = LiveRoute(found.routes[0], found, 1, 0.0)
    assert live.due == 0.0
    live.put_off(0.0)
    return live


def test_good_news_waits_for_the_rest_of_it(live: LiveRoute) -> None:
    """A route under traffic is judged a few times a second, not at every batch."""
    for at in (0.05, 0.1, 0.15):
        live.add_outcomes("modern", Tally(decided=3, served=3, ok=3), 1, at)
        assert live.due == JUDGED_AT_MOST_EVERY
    live.put_off(JUDGED_AT_MOST_EVERY)
    assert live.due == JUDGED_AT_MOST_EVERY + JUDGED_AT_LEAST_EVERY


@pytest.mark.parametrize("side", ["modern", "legacy"])
def test_a_failure_is_judged_at_once(live: LiveRoute, side: str) -> None:
    """On either side: the relative detectors ask for both."""
    live.add_outcomes(side, Tally(decided=1, bad=1), 1, 0.05)
    assert live.due == 0.05
    live.add_outcomes(side, Tally(decided=1, ok=1), 1, 0.06)
    assert live.due == 0.05  # good news puts nothing off


def test_a_comparison_is_judged_at_once(live: LiveRoute) -> None:
    """Differences are evidence as failures are."""
    live.add_comparisons(ComparisonCount("a", "legacy", "mismatch", "", False, 1), 1, 0.05)
    assert live.due == 0.05


def test_time_alone_is_judged_once_a_second(live: LiveRoute) -> None:
    """A gate may wait for nothing else, and what is too old goes."""
    live.add_outcomes("legacy", Tally(decided=1, ok=1), 1, 0.0)
    live.put_off(0.0)
    assert live.due == JUDGED_AT_LEAST_EVERY
    live.judge(3600.0, Position(Progress(), None))
    assert live.sides["legacy"].decided == 0
