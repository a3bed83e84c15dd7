"""The events of one route that `simulate` plays, made from counts: so many, by customers unnamed.

Each failure that counted is given a customer of its own, as the detectors had told them apart when
they were counted. Differences in critical paths are given as many customers as there were.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import count
from typing import Final

from proxy.control.interval import Interval, thinned
from proxy.control.pieces import Piece, Wholes
from proxy.outcome import BadEvent, OutcomeKind, PairEvent, PairKind, Tally, latency_of
from proxy.routing.rules import WEIGHT_MAX
from proxy.routing.side import Side

SAME_LIMIT: Final = 0.02
"""Two limits nearer than this, in proportion, are one: a bucket of latencies is not finer."""

KNOWN: Final = 1000
"""Customers with critical differences that are kept apart."""

_COUNTS: Final = ("decided", "ok", "bad", "client_errors", "denied", "distinct", "distinct_denied")
_UNNAMED: Final = (PairKind.MODERN_FAILED, PairKind.LEGACY_FAILED, PairKind.MISMATCH)


class Evidence:
    """What was recorded of one route, as messages of workers would tell it.

    `minutes` counts intervals with traffic.
    """

    def __init__(self, route: str) -> None:
        self.minutes = 0
        self._route = route
        self._interval = Interval(route, 0.0, 0.0)
        self._wholes = Wholes()
        self._identities = count(1)
        self._customers = _Customers(self._identities)
        self._unordered = 0
        self._other_limit: set[float] = set()

    def begin(self, interval: Interval) -> None:
        """Go on with another interval."""
        self.minutes += 1
        self._interval = interval
        self._unordered += interval.segments is None

    def tally(self, side: Side, piece: Piece, weight: int, limit: float) -> Tally | None:
        """Give what a side would have told at a weight, if anything.

        `limit` is the policy's: seconds from which on an answer is slow.
        """
        share = self._share(side, piece, weight)
        found = {name: self._part(side, name, piece, share) for name in _COUNTS}
        slow, distinct_slow = self._slow(side, piece, share, limit, found["ok"])
        tally = Tally(
            decided=found["decided"],
            served=found["ok"],
            ok=found["ok"],
            bad=found["bad"],
            client_errors=found["client_errors"],
            latencies=self._latencies(side, piece, share),
            slow=slow,
            denied=found["denied"],
            bad_events=self._events(found["distinct"], OutcomeKind.STATUS),
            slow_events=self._events(distinct_slow, OutcomeKind.OK),
            denied_events=self._events(found["distinct_denied"], OutcomeKind.OK),
        )
        return tally if tally or tally.latencies or tally.bad_events or tally.slow_events else None

    def pairs(self, piece: Piece) -> list[PairEvent]:
        """Give the pairs that were evidence."""
        counts, place = piece.counts, self._interval.place
        found = [
            (kind, next(self._identities)) for kind in _UNNAMED for _ in range(counts.get(kind, 0))
        ]
        found += [(PairKind.CRITICAL, who) for who in self._customers.of(counts)]
        return [
            PairEvent(self._route, kind, 0.0, who, "", "", "", 0, 0, place) for kind, who in found
        ]

    def notes(self) -> Iterator[str]:
        """Say what could not be played, or not exactly."""
        told = f"{self._route}: %d of {self.minutes} minutes"
        if self._unordered:
            yield (
                f"{told % self._unordered} were kept by an earlier program: only failures are known"
                " there, and not in which order (T1 saw them evenly, T2 every failure of legacy as"
                " another customer's); T3 to T5 and the alarm about sessions saw nothing"
            )
        if self._other_limit:
            yield (
                f"{told % len(self._other_limit)} had another limit for slow answers: what was slow"
                " by this one is taken from latencies, evenly over the minute, every answer as"
                " another customer's"
            )

    def _share(self, side: Side, piece: Piece, weight: int) -> float:
        """Give which part of what a side did it would have done at another weight, at most all."""
        weights = _weights(piece.weight)
        if self._interval.segments is None:  # the weight at its end says little about the rest
            weights = {name: _attempts(self._interval, name) for name in Side}
        wanted = _weights(weight)[side] * sum(weights.values())
        return min(1.0, wanted / WEIGHT_MAX / weights[side]) if weights[side] else 1.0

    def _part(self, side: Side, name: str, piece: Piece, share: float) -> int:
        key = f"{side.value}_{name}"
        number = piece.counts.get(key, 0)
        return number if share == 1.0 else self._wholes.part(key, number, share)

    def _slow(
        self, side: Side, piece: Piece, share: float, limit: float, ok: int
    ) -> tuple[int, int]:
        """Give how many of those that were answered well came late, and how many that counts for.

        Answers that were given up on count, too. Under another limit than the recorded one it is
        their share among all latencies of the interval that counts, each a customer's of his own.
        """
        interval = self._interval
        if interval.segments is None:
            return 0, 0
        if abs(limit - interval.slow_at) <= SAME_LIMIT * interval.slow_at:
            slow, distinct = (
                self._part(side, name, piece, share) for name in ("slow", "distinct_slow")
            )
            return min(slow, ok), distinct
        self._other_limit.add(interval.at)
        latencies = (interval.modern if side is Side.MODERN else interval.legacy).latencies
        late = self._wholes.part(f"{side.value}_late", ok, _above(latencies, limit))
        return late, late

    def _latencies(self, side: Side, piece: Piece, share: float) -> dict[int, int]:
        found = piece.latencies.get(side.value, {})
        return dict(found) if share == 1.0 else thinned(found, share)

    def _events(self, number: int, kind: OutcomeKind) -> list[BadEvent]:
        return [
            BadEvent(0.0, next(self._identities), kind, 0, 0.0, "", "", "") for _ in range(number)
        ]


class _Customers:
    """Gives as many customers to differences as there were: new ones, known ones, some twice."""

    def __init__(self, identities: Iterator[int]) -> None:
        self._identities = identities
        self._known: deque[int] = deque(maxlen=KNOWN)

    def of(self, counts: Mapping[str, int]) -> Iterator[int]:
        """Give whose each difference of a piece is."""
        differences = counts.get(PairKind.CRITICAL, 0)
        for number in range(differences):
            if number < counts.get("new_customers", 0):
                self._known.append(next(self._identities))
            elif number < counts.get("customers", 0):
                self._known.rotate()  # somebody who was not seen in this minute
            yield self._known[-1] if self._known else next(self._identities)


def _weights(weight: int) -> dict[Side, int]:
    return {Side.MODERN: weight, Side.LEGACY: WEIGHT_MAX - weight}


def _attempts(interval: Interval, side: Side) -> int:
    seen = interval.modern if side is Side.MODERN else interval.legacy
    return seen.ok + seen.bad


def _above(latencies: Mapping[int, int], limit: float) -> float:
    """Give the share of latencies above a limit."""
    total = sum(latencies.values())
    above = sum(number for bucket, number in latencies.items() if latency_of(bucket) > limit)
    return above / total if total else 0.0
