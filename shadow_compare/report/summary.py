"""A group of mismatches that differ in the same places, as reports tell of it (pure)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from shadow_compare.report.interval import rate_of
from shadow_compare.sample import Sample


class State(StrEnum):
    """What people have done about a signature."""

    OPEN = "open"
    EXPECTED = "expected"  # it is to be so; an ignore rule was made
    FIXED = "fixed"  # it is mended; opens again when it is seen again


@dataclass(frozen=True, slots=True)
class SignatureSummary:
    """A group of mismatches that differ in the same places.

    `compared` counts the pairs of the route since it was first seen, `rate` is its part of them,
    between `rate_low` and `rate_high` with 95% certainty. Times are Unix seconds; the example's
    values are JSON text, None where that side has nothing. `state` was given by `state_author` for
    `state_reason`; `reopened` counts how often it was seen again after it had been fixed, or in
    spite of the rule that was to rule it out.
    """

    id: str
    route: str
    kinds: tuple[str, ...]
    paths: tuple[str, ...]
    example_path: str
    example_old: str | None
    example_new: str | None
    critical: bool
    count: int
    compared: int
    first_seen: float
    last_seen: float
    first_version: int
    last_version: int
    state: str = State.OPEN
    state_author: str | None = None
    state_reason: str | None = None
    state_at: float | None = None
    state_version: int | None = None
    reopened: int = 0

    @property
    def rate(self) -> float | None:
        """Part of the compared, as a fraction, or None when nothing is known to be compared."""
        found = rate_of(self.count, self.compared)
        return found and found.value

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values, with `rate`, `rate_low` and `rate_high`."""
        found = rate_of(self.count, self.compared)
        return {
            **asdict(self),
            "rate": found and found.value,
            "rate_low": found and found.low,
            "rate_high": found and found.high,
        }


@dataclass(frozen=True, slots=True)
class Occurrences:
    """How often a group was seen within the hour that begins at `at`, in Unix seconds."""

    at: float
    count: int


@dataclass(frozen=True, slots=True)
class SignatureDetail:
    """A summary with its samples, the latest first, and the hours it was seen in, the first first.

    Hours are known for two weeks.
    """

    summary: SignatureSummary
    samples: tuple[Sample, ...]
    occurrences: tuple[Occurrences, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values: the summary's members, `samples` and `occurrences`."""
        return {
            **self.summary.to_plain(),
            "samples": [each.to_plain() for each in self.samples],
            "occurrences": [asdict(each) for each in self.occurrences],
        }
