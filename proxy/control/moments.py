"""What a route saw within an interval, in order: a short row of counts, for `simulate`.

Detectors judge in order: eight failures in a row prove what eight among six thousand do not. So the
counts are noted before and after each message that tells of evidence. They are the same numbers
that only grow, so whatever lies between two notes is their difference, and to leave a note out is
to join two pieces.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

from proxy.outcome import PairKind

MOST: Final = 96
"""Notes of one interval at most; when there are more, of the older half every second one is left
out: what came just before a rollback is told exactly, and what came long before, roughly."""

ALIKE: Final = ("match", "ignored")
"""Verdicts of comparisons in which nothing differed that counts."""

_ATTEMPTS: Final = ("decided", "ok", "bad", "client_errors", "slow", "denied")
_NONE: Final = (0,) * len(_ATTEMPTS)
_DISTINCT: Final = ("distinct", "distinct_slow", "distinct_denied")
_LEGACY: Final = tuple(f"legacy_{name}" for name in _DISTINCT)
_MODERN: Final = tuple(f"modern_{name}" for name in _DISTINCT)
_REST: Final = (
    *(kind.value for kind in PairKind), "customers", "new_customers", "baselines", "differed",
)  # fmt: skip

NAMES: Final = (
    *(f"legacy_{name}" for name in _ATTEMPTS), *_LEGACY,
    *(f"modern_{name}" for name in _ATTEMPTS), *_MODERN,
    "alike", *_REST,
)  # fmt: skip
"""What is counted. The names that are not counts of workers are those of `Detectors.counted`."""


class Sums(Protocol):
    """The counts of one route, which only grow."""

    sides: dict[str, Any]
    counted: Counter[str]
    comparisons: Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of an interval: until `until` seconds from its beginning, at a weight.

    `counts` holds what came by its name of `NAMES`, where anything did.
    """

    until: float
    weight: int
    counts: Mapping[str, int] = field(default_factory=dict)

    @classmethod
    def from_plain(cls, data: Mapping[str, Any]) -> Segment:
        """From what `asdict` gives; raises KeyError, TypeError or ValueError."""
        counts = {str(name): int(number) for name, number in data["counts"].items()}
        return cls(float(data["until"]), int(data["weight"]), counts)


class _Note(NamedTuple):
    at: float
    weight: int
    sums: tuple[int, ...]


class Moments:
    """Notes of one route since its interval began; times are monotonic seconds."""

    __slots__ = ("_before", "_notes")

    def __init__(self) -> None:
        self._before: tuple[int, ...] = (0,) * len(NAMES)
        self._notes: list[_Note] = []

    def note(self, now: float, weight: int, sums: Sums) -> None:
        """Note how much of everything there was until now, all of it at this weight."""
        counts = _counts(sums)
        last = self._notes[-1].sums if self._notes else self._before
        if counts == last:
            return
        if len(self._notes) >= MOST:
            half = len(self._notes) // 2
            self._notes = self._notes[1:half:2] + self._notes[half:]
        self._notes.append(_Note(now, weight, counts))

    def take(self, now: float, seconds: float, weight: int, sums: Sums) -> tuple[Segment, ...]:
        """Give the segments of the interval that ends now, at least one, and begin the next."""
        notes = [*self._notes, _Note(now, weight, _counts(sums))]
        found: list[Segment] = []
        before = self._before
        if notes[-1].sums == before:  # nothing came, as on most routes
            return (Segment(round(seconds, 3), weight),)
        for at, of, counts in notes:
            until = min(max(0.0, seconds - (now - at)), seconds)
            pairs = zip(NAMES, counts, before, strict=True)
            found.append(
                Segment(round(until, 3), of, {name: n - b for name, n, b in pairs if n > b})
            )
            before = counts
        self._before, self._notes = before, []
        if len(found) > 1 and not found[-1].counts:
            del found[-1]
        return tuple(found)


def _counts(sums: Sums) -> tuple[int, ...]:
    """Give the counts in the order of `NAMES`; twice for each bad message, so without ado."""
    get, alike = sums.counted.get, 0
    for (verdict, _), number in sums.comparisons.items():
        if verdict in ALIKE:
            alike += number
    return (
        *_attempts(sums.sides.get("legacy")),
        *[get(name, 0) for name in _LEGACY],
        *_attempts(sums.sides.get("modern")),
        *[get(name, 0) for name in _MODERN],
        alike,
        *[get(name, 0) for name in _REST],
    )


def _attempts(of: Any) -> tuple[int, ...]:
    if of is None:
        return _NONE
    return of.decided, of.ok, of.bad, of.client_errors, of.slow, of.denied
