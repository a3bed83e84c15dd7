"""Sliding windows over counted events, in sub-buckets; time is monotonic and an argument."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from typing import Generic, TypeVar

from proxy.outcome import Tally
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
        self.totals: Counter[K] = Counter()
        self._slots: deque[tuple[int, Counter[K]]] = deque()
        self._width = span / SLOTS

    def add(self, counts: Mapping[K, int], now: float) -> None:
        """Count what has just happened."""
        self.expire(now)
        number = int(now // self._width)
        if not self._slots or self._slots[-1][0] < number:
            self._slots.append((number, Counter()))
        # Not Counter.update, which takes long to find out what it was given: with 2,000 routes the
        # controller is told of some hundred of them every 50 ms.
        slot, totals = self._slots[-1][1], self.totals
        for key, count in counts.items():
            if count:
                slot[key] = slot.get(key, 0) + count
                totals[key] = totals.get(key, 0) + count

    def expire(self, now: float) -> bool:
        """Let go of what is older than the span; gives whether anything went."""
        oldest = int(now // self._width) - SLOTS + 1
        gone = False
        while self._slots and self._slots[0][0] < oldest:
            _, counts = self._slots.popleft()
            for key, count in counts.items():
                self.totals[key] -= count
                if self.totals[key] <= 0:
                    del self.totals[key]
            gone = True
        return gone


class SideWindow:
    """One side of one route over the window: how its attempts ended and how long they took."""

    def __init__(self, span: float) -> None:
        self._counts: SlidingCounts[str] = SlidingCounts(span)
        self._latencies: SlidingCounts[int] = SlidingCounts(span)
        self._since: float | None = None

    def add(self, tally: Tally, now: float) -> None:
        """Count one tally of a worker."""
        if self._since is None:
            self._since = now
        self._counts.add(
            {"decided": tally.decided, "served": tally.served, "ok": tally.ok, "bad": tally.bad},
            now,
        )
        if tally.latencies:
            self._latencies.add(tally.latencies, now)

    def expire(self, now: float) -> bool:
        """Let go of what is too old; gives whether anything went."""
        gone = self._counts.expire(now)
        return self._latencies.expire(now) or gone

    @property
    def decided(self) -> int:
        """Requests whose decision was this side."""
        return self._counts.totals["decided"]

    @property
    def bad(self) -> int:
        """Attempts that failed by the upstream's doing."""
        return self._counts.totals["bad"]

    @property
    def requests(self) -> int:
        """Attempts that were judged."""
        return self._counts.totals["ok"] + self.bad

    @property
    def error_rate(self) -> float | None:
        """Share of bad attempts, or None without any."""
        return self.bad / self.requests if self.requests else None

    @property
    def timed(self) -> int:
        """Attempts with a latency."""
        return self._latencies.totals.total()

    def latency(self, share: float) -> float | None:
        """Quantile of the latency in seconds, or None without samples."""
        return quantile(self._latencies.totals, share)

    def per_second(self, now: float) -> float:
        """Judged attempts a second over the part of the window that has been watched."""
        if self._since is None:
            return 0.0
        watched = min(self._counts.span, max(1.0, now - self._since))
        return self.requests / watched
