"""How much of the mirrored traffic was compared, and why some was not (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from shadow_compare.report.interval import Rate, rate_of
from shadow_compare.verdict import Verdict


@dataclass(slots=True)
class Cell:
    """How mirrored requests ended; `not_compared` and `ignored_by_reason` count by reason."""

    match: int = 0
    ignored: int = 0
    mismatch: int = 0
    not_compared: dict[str, int] = field(default_factory=dict)
    ignored_by_reason: dict[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> int:
        """How many pairs of answers were looked at."""
        return self.match + self.ignored + self.mismatch

    @property
    def eligible(self) -> int:
        """How many were meant to be compared."""
        return self.compared + sum(self.not_compared.values())

    @property
    def match_rate(self) -> float | None:
        """Share of the compared that do not differ, or None without comparisons."""
        return 1.0 - self.mismatch / self.compared if self.compared else None

    @property
    def mismatch_rate(self) -> Rate | None:
        """Share of the compared that differ, with its interval, or None without comparisons."""
        return rate_of(self.mismatch, self.compared)

    def count(self, verdict: str, reason: str, number: int) -> None:
        """Add so many of a verdict."""
        if verdict == Verdict.MATCH:
            self.match += number
        elif verdict == Verdict.MISMATCH:
            self.mismatch += number
        elif verdict == Verdict.IGNORED:
            self.ignored += number
            self.ignored_by_reason[reason] = self.ignored_by_reason.get(reason, 0) + number
        else:
            self.not_compared[reason] = self.not_compared.get(reason, 0) + number

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values; the rate of mismatches as `mismatch_rate` with its bounds."""
        rate = self.mismatch_rate
        return {
            **asdict(self),
            "compared": self.compared,
            "eligible": self.eligible,
            "match_rate": self.match_rate,
            "mismatch_rate": rate and rate.value,
            "mismatch_rate_low": rate and rate.low,
            "mismatch_rate_high": rate and rate.high,
        }


@dataclass(slots=True)
class Coverage(Cell):
    """The coverage of one route.

    `fired` counts how often each rule was needed, by name of the equivalence or as `ignore:PATH`,
    `tolerance:PATH`, `array:PATH`, `critical:PATH` and so on; `cells` are its parts
    by method and class of the primary's status, such as 2xx.
    """

    route: str = ""
    fired: dict[str, int] = field(default_factory=dict)
    cells: dict[tuple[str, str], Cell] = field(default_factory=dict)

    def count_in(self, method: str, status: str, verdict: str, reason: str, number: int) -> None:
        """Add so many of a verdict, in the whole and in its part."""
        self.count(verdict, reason, number)
        self.cells.setdefault((method, status), Cell()).count(verdict, reason, number)

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        plain = Cell.to_plain(self)
        plain["cells"] = [
            {"method": method, "status": status, **cell.to_plain()}
            for (method, status), cell in sorted(self.cells.items())
        ]
        return plain


def whole(coverages: Iterable[Coverage]) -> Cell:
    """Add up the coverage of several routes."""
    found = Cell()
    for each in coverages:
        found.match += each.match
        found.ignored += each.ignored
        found.mismatch += each.mismatch
        for mine, theirs in (
            (found.not_compared, each.not_compared),
            (found.ignored_by_reason, each.ignored_by_reason),
        ):
            for reason, number in theirs.items():
                mine[reason] = mine.get(reason, 0) + number
    return found
