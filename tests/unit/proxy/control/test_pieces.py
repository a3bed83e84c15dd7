from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from proxy.control.interval import Interval, SideCounts
from proxy.control.moments import Segment
from proxy.control.pieces import SLICES, Spread, Wholes, pieces

LEGACY = SideCounts(900, 0, 900, 0, {100: 900})
MODERN = SideCounts(100, 20, 100, 7, {50: 80, 60: 40})


def test_segments_keep_their_order() -> None:
    """A piece ends where a segment ends, and where a slice does; within a segment all is even."""
    segments = (
        Segment(11.0, 1000, {"modern_ok": 22}),
        Segment(11.0, 1000, {"modern_bad": 8, "modern_distinct": 8}),
        Segment(60.0, 0, {"legacy_ok": 49}),
    )
    interval = Interval("a", 60.0, 60.0, 1, 0, LEGACY, MODERN, {"match": 12}, segments)
    found = list(pieces(interval))
    assert [each.until for each in found[:4]] == [5.0, 10.0, 11.0, 11.0]
    assert [each.counts for each in found[:4]] == [
        {"modern_ok": 10}, {"modern_ok": 10}, {"modern_ok": 2},
        {"modern_bad": 8, "modern_distinct": 8},
    ]  # fmt: skip
    assert [each.weight for each in found[:5]] == [1000] * 4 + [0]
    assert [each.ends_slice for each in found[:5]] == [True, True, False, False, True]
    assert sum(each.ends_slice for each in found) == SLICES
    # All of modern's attempts were over after eleven seconds, and so are their latencies.
    assert (
        sum(sum(each.latencies["modern"].values()) for each in found[:5] if each.ends_slice) == 120
    )
    assert [each.comparisons for each in found if each.ends_slice] == [{"match": 1}] * SLICES


def test_an_earlier_program_kept_no_segments() -> None:
    """What it kept is spread evenly; every failure of legacy may have been a customer's."""
    legacy = SideCounts(900, 24, 900, 0, {100: 900})
    found = list(pieces(Interval("a", 60.0, 60.0, 1, 1000, legacy, MODERN, {"match": 24})))
    assert [each.until for each in found] == [5.0 * (n + 1) for n in range(SLICES)]
    total = Counter[str]()
    for each in found:
        total.update(each.counts)
    assert total == {
        "legacy_decided": 924, "legacy_ok": 900, "legacy_bad": 24, "legacy_distinct": 24,
        "modern_decided": 120, "modern_ok": 100, "modern_bad": 20, "modern_distinct": 7,
    }  # fmt: skip
    assert {each.counts["legacy_bad"] for each in found} == {2}


@given(
    st.lists(
        st.tuples(
            st.floats(0.0, 70.0),
            st.dictionaries(st.sampled_from(["modern_ok", "mismatch"]), st.integers(1, 99)),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_nothing_is_lost(rows: list[tuple[float, dict[str, int]]]) -> None:
    """Whatever segments there were, the pieces are in order, end with the interval, and add up."""
    rows.sort(key=lambda row: row[0])
    segments = tuple(Segment(until, 1000, counts) for until, counts in rows)
    interval = Interval("a", 60.0, 60.0, 1, 0, LEGACY, MODERN, {"match": 7}, segments)
    found = list(pieces(interval))
    untils = [each.until for each in found]
    assert untils == sorted(untils)
    assert untils[-1] == 60.0
    assert sum(each.ends_slice for each in found) == SLICES
    for name in ("modern_ok", "mismatch"):
        wanted = sum(counts.get(name, 0) for _, counts in rows)
        assert sum(each.counts.get(name, 0) for each in found) == wanted
    assert sum(sum(each.latencies["modern"].values()) for each in found if each.ends_slice) == 120
    assert sum(each.comparisons["match"] for each in found if each.ends_slice) == 7


@given(st.integers(0, 10_000), st.lists(st.floats(0, 1), max_size=20))
def test_a_spread_gives_all_of_it(total: int, shares: list[float]) -> None:
    """Never less than nothing, and in the end everything."""
    spread = Spread(total)
    found = [spread.until(share) for share in [*sorted(shares), 1.0]]
    assert sum(found) == total
    assert min(found) >= 0


def test_small_counts_are_not_lost() -> None:
    """A tenth of one, ten times, is one."""
    wholes = Wholes()
    assert [wholes.part("a", 1, 0.1) for _ in range(20)].count(1) == 2
    assert wholes.part("b", 5, 1.0) == 5
