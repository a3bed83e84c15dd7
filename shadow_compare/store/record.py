"""What a shadow worker hands over to be kept of one comparison (pure)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shadow_compare.sample import KeptDifference, Sample
from shadow_compare.signature import Signature
from shadow_compare.verdict import Verdict

COMPARED = frozenset({Verdict.MATCH, Verdict.IGNORED, Verdict.MISMATCH})
"""Verdicts that were reached by looking at both answers."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A mismatch to be kept; `take` builds the sample, which is only done when it is wanted."""

    signature: Signature
    critical: bool
    example: KeptDifference
    take: Callable[[], Sample]


@dataclass(frozen=True, slots=True)
class Record:
    """One comparison of a route; `at` is Unix time in seconds, `version` that of the rules.

    `status` is the primary's, 0 where it is not known. A record without a finding may stand for
    several that ended alike: `count` is how many.
    """

    route: str
    at: float
    version: int
    verdict: str
    reason: str = ""
    fired: tuple[tuple[str, int], ...] = ()
    finding: Finding | None = None
    method: str = "GET"
    status: int = 0
    count: int = 1

    @property
    def minute(self) -> int:
        """Minute it is counted in."""
        return int(self.at // 60)

    @property
    def status_class(self) -> str:
        """Give 2xx for 204; empty where there is no status."""
        return f"{self.status // 100}xx" if 100 <= self.status <= 999 else ""
