from __future__ import annotations

import orjson
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.interval import Cutter, Interval, anything, parts, thinned
from proxy.control.live import LiveRoute
from proxy.outcome import BadEvent, ComparisonCount, OutcomeKind, Tally
from tests.support_routing import route, rules

COUNTS = st.dictionaries(st.integers(-50, 400), st.integers(1, 1000), max_size=8)


def live_route() -> LiveRoute:
    """Give a route that has seen nothing."""
    found = rules(route("/a", "a", weight="10%"))
    return LiveRoute(found.routes[0], found, 1, 0.0)


def see(live: LiveRoute, ok: int, bad: int, identity: int = 1) -> None:
    """Let modern answer so often well and fail so often, each time to the same customer."""
    events = [
        BadEvent(0.0, identity, OutcomeKind.RESET, 0, 0.0, "GET", "/a", "r") for _ in range(bad)
    ]
    tally = Tally(ok + bad, ok, ok, bad, latencies={100: ok}, bad_events=events)
    live.add_outcomes("modern", tally, 1, 1.0)
    live.add_comparisons(ComparisonCount("a", "legacy", "match", "", False, ok), 1, 1.0)


def test_an_interval_is_what_came_since_the_last() -> None:
    """Nothing is counted twice, and one customer in a loop is one failure."""
    live, cutter = live_route(), Cutter()
    see(live, 10, 3)
    first = cutter.cut(live, 1000, 7, 60.0, 60.0, 60.0)
    assert (first.route, first.version, first.weight) == ("a", 7, 1000)
    assert (first.modern.ok, first.modern.bad, first.modern.distinct) == (10, 3, 1)
    assert (first.modern.latencies, first.comparisons) == ({100: 10}, {"match": 10})
    assert first.legacy.ok == 0
    see(live, 5, 0)
    second = cutter.cut(live, 1000, 7, 120.0, 60.0, 120.0)
    assert (second.modern.ok, second.modern.bad, second.modern.latencies) == (5, 0, {100: 5})
    assert anything(second)
    assert not anything(cutter.cut(live, 1000, 7, 180.0, 60.0, 180.0))


def test_it_survives_json() -> None:
    """Keys of JSON are texts; buckets are numbers, and some are negative."""
    live = live_route()
    see(live, 10, 3)
    found = Cutter().cut(live, 1000, 7, 60.0, 60.0, 60.0)
    assert Interval.from_plain(orjson.loads(orjson.dumps(found.to_plain()))) == found


@given(COUNTS, st.floats(0, 1))
def test_a_part_of_latencies_is_spread_as_they_are(latencies: dict[int, int], share: float) -> None:
    """As many as the share says, none that was not there, and never more of one."""
    found = thinned(latencies, share)
    assert sum(found.values()) == round(sum(latencies.values()) * share)
    assert all(0 < n <= latencies[bucket] + 1 for bucket, n in found.items())
    assert thinned(latencies, 1.0) == latencies
    assert thinned(latencies, 0.0) == {}


@given(st.integers(0, 10_000), st.integers(1, 50))
def test_a_count_is_divided_evenly(total: int, number: int) -> None:
    """Nothing is lost, and no part is more than one larger than another."""
    found = list(parts(total, number))
    assert (len(found), sum(found)) == (number, total)
    assert max(found) - min(found) <= 1
