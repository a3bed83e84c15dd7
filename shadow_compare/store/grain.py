"""Counts over time in buckets of three lengths, so that any span is a sum of few rows (pure).

Each comparison is counted three times: in its minute, its hour and its day. What happened since a
minute is then the sum of at most 59 minutes, 23 hours and all days after them. Minutes are kept for
two days only; what is asked from an earlier time on counts from the full hour.
"""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class Grain(IntEnum):
    """Length of a bucket, in minutes."""

    MINUTE = 1
    HOUR = 60
    DAY = 1440


class Span(NamedTuple):
    """Buckets of one grain from `start` on, before `stop`; all times are minutes since 1970."""

    grain: Grain
    start: int
    stop: int | None


def buckets(minute: int) -> tuple[tuple[Grain, int], ...]:
    """Give the buckets that a minute is counted in, each as grain and first minute."""
    return tuple((grain, minute - minute % grain) for grain in Grain)


def spans(since: int | None, oldest_minute: int | None) -> tuple[Span, ...]:
    """Give the buckets that together hold everything from a minute on, each comparison once.

    `oldest_minute` is the first one that is still kept as such; None where nothing is.
    """
    if since is None:
        return (Span(Grain.DAY, 0, None),)
    if oldest_minute is None or since < oldest_minute:
        since -= since % Grain.HOUR
    hour = _next(since, Grain.HOUR)
    day = _next(hour, Grain.DAY)
    found = (
        Span(Grain.MINUTE, since, hour),
        Span(Grain.HOUR, hour, day),
        Span(Grain.DAY, day, None),
    )
    return tuple(span for span in found if span.start != span.stop)


def _next(minute: int, grain: Grain) -> int:
    """Give the first bucket of this grain that begins at this minute or later."""
    return minute + -minute % grain
