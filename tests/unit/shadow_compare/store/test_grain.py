from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.store.grain import Grain, Span, buckets, spans

MINUTES = st.integers(0, 40 * 1440)


def counted(minutes: list[int], found: tuple[Span, ...]) -> int:
    """Count as the tables do: each minute in all its buckets, then the sum over the spans."""
    kept = [bucket for minute in minutes for bucket in buckets(minute)]
    return sum(
        grain == span.grain and span.start <= start and (span.stop is None or start < span.stop)
        for span in found
        for grain, start in kept
    )


@given(st.lists(MINUTES), MINUTES)
def test_each_comparison_since_a_minute_counts_once(minutes: list[int], since: int) -> None:
    """Wherever the minute lies within its hour and day."""
    expected = sum(minute >= since for minute in minutes)
    assert counted(minutes, spans(since, 0)) == expected


@given(st.lists(MINUTES), MINUTES)
def test_what_is_no_longer_kept_by_the_minute_counts_from_the_full_hour(
    minutes: list[int], since: int
) -> None:
    """Rather a little too much than nothing of an hour."""
    expected = sum(minute >= since - since % 60 for minute in minutes)
    assert counted(minutes, spans(since, None)) == expected
    assert counted(minutes, spans(since, since + 1)) == expected


@given(st.lists(MINUTES))
def test_everything_is_the_sum_of_days(minutes: list[int]) -> None:
    """One grain is enough when no time is named."""
    assert counted(minutes, spans(None, 0)) == len(minutes)


@given(MINUTES)
def test_few_buckets_are_read(since: int) -> None:
    """At most 59 minutes and 23 hours before the days begin."""
    sizes = {span.grain: (span.stop or 0) - span.start for span in spans(since, 0)}
    assert sizes.get(Grain.MINUTE, 0) <= 59
    assert sizes.get(Grain.HOUR, 0) <= 23 * 60
