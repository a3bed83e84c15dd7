"""Sliding windows over counted events, in sub-buckets; time is monotonic and an argument."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from proxy.outcome import Tally, latency_of
from proxy.rollout.sketch import quantile

K = TypeVar("K")

SLOTS = 30
"""Sub-buckets of one window: what falls out of it falls out in pieces of 1/30."""

LOWEST: Final = -(10**9)
"""Below every bucket of latencies."""


class SlidingCounts(Generic[K]):
    """How often each key was counted within the last `span` seconds.

    Time is monotonic seconds. Should it stand still or go back, counts stay in the newest slot and
    none is lost; a pause longer than the span empties the window, as it must.
    """

    def __init__(self, span: float) -> None:
        self.span = span
        self.totals: Counter[K] = Counter()
        self._slots: deque[tuple[int, Counter[K]]] = deque()
        self._width = span / SLOTS

    def add(self, counts: Mapping[K, int], now: float) -> None:
        """Count what has just happened."""
        self.expire(now)
        number = int(now // self._width)
        if not self._slots or self._slots[-1][0] < number:
            self._slots.append((number, Counter()))
        counted = {key: count for key, count in counts.items() if count}
        self._slots[-1][1].update(counted)
        self.totals.update(counted)

    def expire(self, now: float) -> None:
        """Let go of what is older than the span."""
        oldest = int(now // self._width) - SLOTS + 1
        while self._slots and self._slots[0][0] < oldest:
            _, counts = self._slots.popleft()
            for key, count in counts.items():
                self.totals[key] -= count
                if self.totals[key] <= 0:
                    del self.totals[key]


class _Slot:
    """What fell into one sub-bucket of one side."""

    __slots__ = ("bad", "decided", "highest", "latencies", "number", "ok", "timed")

    def __init__(self, number: int) -> None:
        self.number = number
        self.decided = self.ok = self.bad = self.timed = 0
        self.highest = LOWEST
        self.latencies: dict[int, int] = {}


class SideWindow:
    """One side of one route over the window: how its attempts ended and how long they took.

    Plain numbers in few objects: with 2,000 routes under traffic the controller is told of some
    thousand sides a second, and finds none of them in the processor's cache. Latencies stay where
    they fell, and are added up when a quantile is asked for: of most routes nobody asks, as their
    slowest answer is within the limit. Time is as in `SlidingCounts`.
    """

    __slots__ = (
        "_asked", "_closed", "_newest", "_since", "_slots", "_width", "bad", "decided", "ok",
        "span", "timed",
    )  # fmt: skip

    def __init__(self, span: float) -> None:
        self.span = span
        self.decided = 0
        """Requests whose decision was this side."""
        self.ok = 0
        self.bad = 0
        """Attempts that failed by the upstream's doing."""
        self.timed = 0
        """Attempts with a latency."""
        self._slots: deque[_Slot] = deque()
        self._newest: _Slot | None = None
        self._width = span / SLOTS
        self._since: float | None = None
        self._closed: dict[int, int] | None = None
        """Latencies of all slots but the newest, while somebody asks in every slot."""
        self._asked = False

    def add(self, tally: Tally, now: float) -> None:
        """Count one tally of a worker."""
        slot, number = self._newest, int(now // self._width)
        if slot is None or slot.number < number:
            slot = self._begin(number, now)
        slot.decided += (decided := tally.decided)
        slot.ok += (ok := tally.ok)
        slot.bad += (bad := tally.bad)
        self.decided += decided
        self.ok += ok
        self.bad += bad
        if latencies := tally.latencies:
            timed = sum(latencies.values())
            slot.timed += timed
            self.timed += timed
            slot.highest = max(slot.highest, *latencies)
            if slot.latencies:
                _add(slot.latencies, latencies)
            else:
                slot.latencies = dict(latencies)

    def expire(self, now: float) -> None:
        """Let go of what is older than the span."""
        slots, oldest = self._slots, int(now // self._width) - SLOTS + 1
        while slots and slots[0].number < oldest:
            self._subtract(slots.popleft())
        if not slots:
            self._newest = self._closed = None

    @property
    def requests(self) -> int:
        """Attempts that were judged."""
        return self.ok + self.bad

    @property
    def error_rate(self) -> float | None:
        """Share of bad attempts, or None without any."""
        return self.bad / self.requests if self.requests else None

    @property
    def slowest(self) -> float | None:
        """Highest latency in seconds, or None without samples; cheaper than any other quantile."""
        return latency_of(max(slot.highest for slot in self._slots)) if self.timed else None

    def latency(self, share: float) -> float | None:
        """Quantile of the latency in seconds, or None without samples."""
        newest = self._newest
        if newest is None:
            return None
        if self._closed is None:
            self._closed = {}
            for slot in self._slots:
                if slot is not newest:
                    _add(self._closed, slot.latencies)
        self._asked = True
        latencies = self._closed.copy()
        _add(latencies, newest.latencies)
        return quantile(latencies, share)

    def per_second(self, now: float) -> float:
        """Judged attempts a second over the part of the window that has been watched."""
        if self._since is None:
            return 0.0
        watched = min(self.span, max(1.0, now - self._since))
        return self.requests / watched

    def decided_per_second(self, now: float) -> float:
        """Requests decided for this side a second over the part of the window that was watched."""
        if self._since is None:
            return 0.0
        return self.decided / min(self.span, max(1.0, now - self._since))

    def _begin(self, number: int, now: float) -> _Slot:
        """Go on in a new slot."""
        if self._since is None:
            self._since = now
        self.expire(now)
        if self._newest is not None and self._closed is not None:
            if self._asked:
                _add(self._closed, self._newest.latencies)
            else:
                self._closed = None
        self._asked = False
        self._newest = slot = _Slot(number)
        self._slots.append(slot)
        return slot

    def _subtract(self, slot: _Slot) -> None:
        self.decided -= slot.decided
        self.ok -= slot.ok
        self.bad -= slot.bad
        self.timed -= slot.timed
        if (closed := self._closed) is None or slot is self._newest:
            return
        for bucket, count in slot.latencies.items():
            if (left := closed[bucket] - count) > 0:
                closed[bucket] = left
            else:
                del closed[bucket]


def _add(latencies: dict[int, int], more: Mapping[int, int]) -> None:
    for bucket, count in more.items():
        latencies[bucket] = latencies.get(bucket, 0) + count
