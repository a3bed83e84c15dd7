"""Sliding windows over counted events, in sub-buckets; time is monotonic and an argument."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Generic, TypeVar

from proxy.outcome import Tally, latency_of
from proxy.rollout.sketch import quantile

K = TypeVar("K")

SLOTS = 30
"""Sub-buckets of one window: what falls out of it falls out in pieces of 1/30."""


class SlidingCounts(Generic[K]):
    """How often each key was counted within the last `span` seconds.

    Time is monotonic seconds. Should it stand still or go back, counts stay in the newest slot and
    none is lost; a pause longer than the span empties the window, as it must.
    """

    def __init__(self, span: float) -> None:
        self.span = span
        self.changes = 0
        """Grows whenever the totals change."""
        self.totals: Counter[K] = Counter()
        self._slots: deque[tuple[int, Counter[K]]] = deque()
        self._width = span / SLOTS

    def add(self, counts: Mapping[K, int], now: float) -> None:
        """Count what has just happened."""
        self.changes += 1
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
            self.changes += 1
            for key, count in counts.items():
                self.totals[key] -= count
                if self.totals[key] <= 0:
                    del self.totals[key]


class _Slot:
    """What fell into one sub-bucket of one side."""

    __slots__ = ("bad", "decided", "latencies", "number", "ok")

    def __init__(self, number: int) -> None:
        self.number = number
        self.decided = self.ok = self.bad = 0
        self.latencies: dict[int, int] = {}


class SideWindow:
    """One side of one route over the window: how its attempts ended and how long they took.

    Plain numbers in few objects: with 2,000 routes under traffic the controller is told of some
    thousand sides a second, and finds none of them in the processor's cache. Time is as in
    `SlidingCounts`.
    """

    __slots__ = (
        "_latencies", "_newest", "_since", "_slots", "_width", "bad", "changes", "decided", "ok",
        "span", "timed",
    )  # fmt: skip

    def __init__(self, span: float) -> None:
        self.span = span
        self.changes = 0
        """Grows whenever any of the counts changes."""
        self.decided = 0
        """Requests whose decision was this side."""
        self.ok = 0
        self.bad = 0
        """Attempts that failed by the upstream's doing."""
        self.timed = 0
        """Attempts with a latency."""
        self._latencies: dict[int, int] = {}
        self._slots: deque[_Slot] = deque()
        self._newest: _Slot | None = None
        self._width = span / SLOTS
        self._since: float | None = None

    def add(self, tally: Tally, now: float) -> None:
        """Count one tally of a worker."""
        self.changes += 1
        slot, number = self._newest, int(now // self._width)
        if slot is None or slot.number < number:
            slot = self._begin(number, now)
        slot.decided += (decided := tally.decided)
        slot.ok += (ok := tally.ok)
        slot.bad += (bad := tally.bad)
        self.decided += decided
        self.ok += ok
        self.bad += bad
        newest, latencies, timed = slot.latencies, self._latencies, 0
        for bucket, count in tally.latencies.items():
            newest[bucket] = newest.get(bucket, 0) + count
            latencies[bucket] = latencies.get(bucket, 0) + count
            timed += count
        self.timed += timed

    def expire(self, now: float) -> None:
        """Let go of what is older than the span."""
        slots, oldest = self._slots, int(now // self._width) - SLOTS + 1
        while slots and slots[0].number < oldest:
            self._subtract(slots.popleft())
        if not slots:
            self._newest = None

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
        return latency_of(max(self._latencies)) if self._latencies else None

    def latency(self, share: float) -> float | None:
        """Quantile of the latency in seconds, or None without samples."""
        return quantile(self._latencies, share)

    def is_settled(self, now: float) -> bool:
        """Whether rates stay as they are while nothing changes, however much time passes."""
        empty = not self.decided and not self.requests
        return empty or (self._since is not None and now - self._since >= self.span)

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
        self._newest = slot = _Slot(number)
        self._slots.append(slot)
        return slot

    def _subtract(self, slot: _Slot) -> None:
        self.changes += 1
        self.decided -= slot.decided
        self.ok -= slot.ok
        self.bad -= slot.bad
        latencies = self._latencies
        for bucket, count in slot.latencies.items():
            self.timed -= count
            if (left := latencies[bucket] - count) > 0:
                latencies[bucket] = left
            else:
                del latencies[bucket]
