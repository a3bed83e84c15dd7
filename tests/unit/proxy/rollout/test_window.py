from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.outcome import Tally, latency_bucket
from proxy.rollout.sketch import quantile
from proxy.rollout.window import SLOTS, SideWindow, SlidingCounts

EVENTS = st.lists(st.tuples(st.floats(0, 20), st.integers(1, 5)), max_size=60)


@given(EVENTS)
def test_totals_are_what_lies_within_the_span(events: list[tuple[float, int]]) -> None:
    """Totals hold everything younger than the span less one slot, and nothing older than it."""
    span, now = 60.0, 1000.0
    window: SlidingCounts[str] = SlidingCounts(span)
    seen: list[tuple[float, int]] = []
    for pause, count in events:
        now += pause
        window.add({"ok": count}, now)
        seen.append((now, count))
        total = window.totals["ok"]
        surely = sum(n for at, n in seen if now - at < span - span / SLOTS)
        at_most = sum(n for at, n in seen if now - at < span)
        assert surely <= total <= at_most


def test_everything_goes_in_the_end() -> None:
    """A window without traffic is empty after its span."""
    window: SlidingCounts[str] = SlidingCounts(60.0)
    window.add({"ok": 3, "bad": 0}, 1000.0)
    window.expire(1030.0)
    assert window.totals == {"ok": 3}
    window.expire(1060.1)
    assert window.totals == {}


def test_time_that_goes_back_loses_nothing() -> None:
    """Should the clock step back, counts stay in the newest slot."""
    window: SlidingCounts[str] = SlidingCounts(60.0)
    window.add({"ok": 1}, 1000.0)
    window.add({"ok": 1}, 900.0)
    assert window.totals["ok"] == 2
    window.expire(1061.0)
    assert window.totals["ok"] == 0


TALLIES = st.builds(
    Tally,
    decided=st.integers(0, 3),
    ok=st.integers(0, 3),
    bad=st.integers(0, 3),
    latencies=st.dictionaries(st.integers(0, 4), st.integers(1, 3), max_size=3),
)


class TestSideWindow:
    """One side of one route."""

    @given(st.lists(st.tuples(st.floats(-5, 20), TALLIES, st.booleans()), max_size=40))
    def test_it_counts_like_any_sliding_window(self, told: list[tuple[float, Tally, bool]]) -> None:
        """Only faster: also when time stands still or goes back, and whenever somebody asks."""
        window, now = SideWindow(60.0), 1000.0
        plain: SlidingCounts[str | int] = SlidingCounts(60.0)
        for pause, tally, asks in told:
            now += pause
            window.add(tally, now)
            numbers = {"decided": tally.decided, "ok": tally.ok, "bad": tally.bad}
            plain.add(numbers | tally.latencies, now)
            if asks:
                latencies = {key: n for key, n in plain.totals.items() if isinstance(key, int)}
                assert window.latency(0.5) == quantile(latencies, 0.5)
        for later in (now, now + 30.0, now + 59.0, now + 61.0):
            window.expire(later)
            plain.expire(later)
            latencies = {key: n for key, n in plain.totals.items() if isinstance(key, int)}
            assert (window.decided, window.ok, window.bad) == tuple(
                plain.totals[name] for name in ("decided", "ok", "bad")
            )
            assert window.timed == sum(latencies.values())
            assert window.latency(0.95) == quantile(latencies, 0.95)
            assert window.slowest == window.latency(1.0)

    def test_a_tally_stays_as_it_was(self) -> None:
        """Whoever told of it may go on with it."""
        window, tally = SideWindow(60.0), Tally(ok=1, latencies={7: 1})
        window.add(tally, 1000.0)
        window.add(tally, 1000.0)
        assert (tally.latencies, window.timed) == ({7: 1}, 2)

    def test_rates_and_latencies(self) -> None:
        """Rates are of judged attempts; latencies of those that have one."""
        window = SideWindow(60.0)
        window.add(Tally(decided=100, ok=90, bad=10, latencies={latency_bucket(0.1): 90}), 1000.0)
        assert (window.requests, window.bad, window.decided, window.timed) == (100, 10, 100, 90)
        assert window.error_rate == 0.1
        assert window.latency(0.5) == pytest.approx(0.1, rel=0.02)

    def test_nothing_measured(self) -> None:
        """Without traffic there is no rate and no latency."""
        window = SideWindow(60.0)
        assert window.error_rate is None
        assert window.latency(0.95) is None
        assert window.per_second(1000.0) == 0.0

    def test_rate_per_second_counts_only_watched_time(self) -> None:
        """A window that has just begun is not taken for a quiet minute."""
        window = SideWindow(60.0)
        window.add(Tally(ok=50), 1000.0)
        window.add(Tally(ok=50), 1010.0)
        assert window.per_second(1010.0) == pytest.approx(10.0)

    def test_aborts_and_rejections_are_nobodys_failure(self) -> None:
        """What the client or we ended is not judged."""
        window = SideWindow(60.0)
        window.add(Tally(decided=7, aborted=4, rejected=3), 1000.0)
        assert window.requests == 0
        assert window.error_rate is None
