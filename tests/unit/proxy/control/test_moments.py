from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.control.live import Totals
from proxy.control.moments import MOST, NAMES, Moments, Segment
from proxy.outcome import Tally

STEPS = st.lists(st.tuples(st.integers(0, 50), st.integers(0, 3)), max_size=300)


def see(totals: Totals, ok: int, bad: int = 0) -> None:
    """Let modern answer so often well, and fail so often."""
    totals.add("modern", Tally(ok + bad, ok, ok, bad))
    totals.counted["modern_distinct"] += bad


def test_what_comes_between_notes_is_a_segment() -> None:
    """In order, each with its end, its weight and what there was of anything; then the rest."""
    moments, totals = Moments(), Totals()
    see(totals, 10)
    moments.note(13.0, 1000, totals)
    see(totals, 1, bad=2)
    moments.note(13.0, 1000, totals)
    moments.note(14.0, 1000, totals)  # nothing came
    see(totals, 5)
    assert moments.take(70.0, 60.0, 5000, totals) == (
        Segment(3.0, 1000, {"modern_decided": 10, "modern_ok": 10}),
        Segment(
            3.0, 1000, {"modern_decided": 3, "modern_ok": 1, "modern_bad": 2, "modern_distinct": 2}
        ),
        Segment(60.0, 5000, {"modern_decided": 5, "modern_ok": 5}),
    )
    assert moments.take(130.0, 60.0, 5000, totals) == (Segment(60.0, 5000),)


def test_what_was_noted_last_ends_it() -> None:
    """When nothing came afterwards there is no empty segment."""
    moments, totals = Moments(), Totals()
    see(totals, 10)
    moments.note(30.0, 1000, totals)
    assert [each.until for each in moments.take(60.0, 60.0, 0, totals)] == [30.0]


@given(STEPS)
def test_nothing_is_lost_and_there_are_never_many(steps: list[tuple[int, int]]) -> None:
    """However much happens, the row is bounded, in order, and adds up to what there was."""
    moments, totals = Moments(), Totals()
    for number, (ok, bad) in enumerate(steps):
        see(totals, ok, bad)
        moments.note(number * 0.1, 1000, totals)
    found = moments.take(60.0, 60.0, 1000, totals)
    assert 1 <= len(found) <= MOST + 1
    assert [each.until for each in found] == sorted(each.until for each in found)
    for name, place in (("modern_ok", 0), ("modern_bad", 1), ("modern_distinct", 1)):
        counted = sum(each.counts.get(name, 0) for each in found)
        assert counted == sum(step[place] for step in steps)
    assert all(each.counts.keys() <= set(NAMES) for each in found)
