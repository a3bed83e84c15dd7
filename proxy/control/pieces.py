"""Recorded intervals in the small pieces in which `simulate` plays them (pure).

Where an interval was recorded in segments their order is kept, and within one of them everything is
spread evenly over its time; an interval without segments is one.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from proxy.control.interval import Interval, SideCounts, thinned
from proxy.control.moments import Segment
from proxy.routing.side import Side

SLICES: Final = 12
"""Parts of an interval, each of five seconds if it is a minute long."""

_ROUNDED: Final = 1e-9
"""Forgives what reckoning with fractions loses."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What came until `until` seconds from the beginning of an interval.

    `counts` has names of `moments.NAMES`. At the end of each slice come `latencies` by side and
    `comparisons` by verdict, and `ends_slice` is true. `weight` is as recorded.
    """

    until: float
    weight: int
    counts: Mapping[str, int]
    latencies: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    comparisons: Mapping[str, int] = field(default_factory=dict)
    ends_slice: bool = False


class Spread:
    """A count that comes bit by bit."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._given = 0

    def until(self, share: float) -> int:
        """Give what comes until this share of it has come, and did not come before."""
        due = int(self._total * share + _ROUNDED)
        fresh, self._given = due - self._given, due
        return fresh


class Wholes:
    """Takes shares of small counts as whole numbers; what is left of one goes to the next."""

    def __init__(self) -> None:
        self._left: dict[str, float] = defaultdict(float)

    def part(self, name: str, count: float, share: float) -> int:
        """Give this share of a count, so that over many nothing is lost."""
        exact = self._left[name] + count * share
        whole = int(exact + _ROUNDED)
        self._left[name] = exact - whole
        return whole


def pieces(interval: Interval) -> Iterator[Piece]:
    """Give an interval in pieces, in order."""
    ends = [interval.seconds * (number + 1) / SLICES for number in range(SLICES)]
    segments = _segments(interval)
    latencies = _Latencies(interval, segments)
    compared = {verdict: Spread(count) for verdict, count in interval.comparisons.items()}
    for piece in _cut(segments, ends):
        latencies.come(piece.counts)
        if not piece.ends_slice:
            yield piece
            continue
        share = piece.until / interval.seconds
        comparisons = {verdict: spread.until(share) for verdict, spread in compared.items()}
        yield replace(piece, latencies=latencies.take(), comparisons=comparisons)


def _segments(interval: Interval) -> list[Segment]:
    """Give the segments, the last of them up to the end of the interval."""
    if interval.segments is None:
        counts = {**_as_known("legacy", interval.legacy), **_as_known("modern", interval.modern)}
        return [Segment(interval.seconds, interval.weight, counts)]
    found = [replace(each, until=min(each.until, interval.seconds)) for each in interval.segments]
    last = found[-1]
    if len(found) > 1 and last.until < interval.seconds * (1 - 1e-3):
        return [*found, Segment(interval.seconds, last.weight)]
    return [*found[:-1], replace(last, until=interval.seconds)]


def _as_known(side: str, seen: SideCounts) -> dict[str, int]:
    """Give what an earlier program kept of one side; of legacy not how many customers failed."""
    distinct = seen.bad if side == Side.LEGACY else seen.distinct
    attempts = seen.ok + seen.bad
    known = {"decided": attempts, "ok": seen.ok, "bad": seen.bad, "distinct": distinct}
    return {f"{side}_{name}": count for name, count in known.items()}


def _cut(segments: list[Segment], ends: list[float]) -> Iterator[Piece]:
    """Cut segments where slices end."""
    begins, left = 0.0, ends
    for number, segment in enumerate(segments, start=1):
        until = segment.until
        is_over = number == len(segments) or segments[number].until > until
        spreads = {name: Spread(count) for name, count in segment.counts.items()}
        for end in [each for each in left if each < until]:
            share = (end - begins) / (until - begins)
            counts = {name: spread.until(share) for name, spread in spreads.items()}
            yield Piece(end, segment.weight, counts, ends_slice=True)
        left = [each for each in left if each >= until]
        rest = {name: spread.until(1.0) for name, spread in spreads.items()}
        ends_slice = is_over and bool(left) and left[0] == until
        yield Piece(until, segment.weight, rest, ends_slice=ends_slice)
        begins, left = until, left[1:] if ends_slice else left


class _Latencies:
    """The latencies of both sides, which come as the attempts do."""

    def __init__(self, interval: Interval, segments: list[Segment]) -> None:
        self._all: dict[str, Counter[int]] = {
            "legacy": Counter(interval.legacy.latencies),
            "modern": Counter(interval.modern.latencies),
        }
        self._given: dict[str, Counter[int]] = {side: Counter() for side in self._all}
        self._seen = dict.fromkeys(self._all, 0)
        self._total = {
            side: sum(_attempts(segment.counts, side) for segment in segments) for side in self._all
        }

    def come(self, counts: Mapping[str, int]) -> None:
        """Note attempts."""
        for side in self._seen:
            self._seen[side] += _attempts(counts, side)

    def take(self) -> dict[str, dict[int, int]]:
        """Give those of the attempts since the last time."""
        return {side: self._of(side) for side in self._all}

    def _of(self, side: str) -> dict[int, int]:
        """Give what is due; by rounding a bucket may be due one less later on: none goes back."""
        total, there = self._total[side], self._all[side]
        due = Counter(thinned(there, self._seen[side] / total if total else 1.0)) & there
        fresh = due - self._given[side]
        self._given[side] |= due
        return dict(fresh)


def _attempts(counts: Mapping[str, int], side: str) -> int:
    return counts.get(f"{side}_ok", 0) + counts.get(f"{side}_bad", 0)
