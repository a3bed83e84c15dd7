"""Budgets of mirroring as written: what captures, and the requests made of them, may cost."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class MirrorBudget:
    """What may be spent: captures a second, bytes of them a second, requests under way at once.

    None is no limit.
    """

    rate: float | None = None
    bandwidth: float | None = None
    concurrency: int | None = None


@dataclass(frozen=True, slots=True)
class TotalBudget:
    """What all routes may spend together; `legacy_rate` is requests a second that legacy gets.

    Those are mirrored requests, and the second readings by which noise and races are told from
    differences.
    """

    budget: MirrorBudget = field(default_factory=MirrorBudget)
    legacy_rate: float | None = None
