"""Rules that the evidence speaks for, as data: a person reads why, and accepts them or does not."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shadow_compare import evidence as of
from shadow_compare.beta import interval
from shadow_compare.equivalence import EQUIVALENCES
from shadow_compare.noise import Place

MET_AGAIN_LEAST: Final = 2
NEW_PAIRS_LEAST: Final = 2
"""Pairs of names, and how often they must have met again, before they are called partners."""
_SECTIONS: Final = ("ignore", "tolerances", "equivalences", "correspond")


@dataclass(frozen=True, slots=True)
class Proposal:
    """One entry for a section of a route's `compare`, and the numbers that speak for it.

    `section` is the key beneath `compare`, `value` what is added there, as a plain mapping: the
    next element, or for `tolerances`, which is a mapping itself, the pair. `id` is stable.
    """

    route: str
    section: str
    path: str
    value: Mapping[str, Any]
    why: str
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def id(self) -> str:
        """What it is called by."""
        return _name_of(self.route, self.section, self.path)

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "id": self.id,
            "route": self.route,
            "section": self.section,
            "path": self.path,
            "value": dict(self.value),
            "why": self.why,
            "evidence": dict(self.evidence),
        }


def propose(
    route: str, place: Place, counts: Mapping[str, int], whole: Mapping[str, int]
) -> Proposal | None:
    """Give what is known of one place speaks for, if anything; `whole` is of all its route."""
    if place == of.NOWHERE or place.path.startswith("status"):
        return None
    if counts.get(of.DISAGREED, 0) >= of.DISAGREED_LEAST:
        return _of_noise(route, place, counts, whole.get(of.BASELINES, 0))
    return _of_differences(route, place, counts, whole.get(of.COMPARED, 0))


def names_of(route: str, path: str) -> frozenset[str]:
    """Give what a proposal for a place may be called by, whichever rule it is for."""
    return frozenset(_name_of(route, section, path) for section in _SECTIONS)


def _of_noise(route: str, place: Place, counts: Mapping[str, int], baselines: int) -> Proposal:
    """Propose what makes a place that differs from itself cost no attention."""
    disagreed = min(counts[of.DISAGREED], baselines)
    low, high = interval(disagreed, baselines)
    numbers = {
        "baselines": baselines,
        "disagreed": disagreed,
        "rate": disagreed / baselines,
        "rate_low": low,
        "rate_high": high,
    }
    why = (
        f"of {baselines} answers that were asked for twice {disagreed} differed from themselves"
        f" here ({low:.1%} to {high:.1%})"
    )
    if place.what == "value" and counts.get(of.NEAR, 0) >= counts[of.DISAGREED]:
        value: dict[str, Any] = {place.path: {"time": f"{of.NEAR_SECONDS:.0f}s"}}
        why += ", by less than a minute"
        return Proposal(route, "tolerances", place.path, value, why, numbers)
    value = {"path": place.path, "reason": f"noise: {why}"}
    return Proposal(route, "ignore", place.path, value, why, numbers)


def _of_differences(
    route: str, place: Place, counts: Mapping[str, int], compared: int
) -> Proposal | None:
    """Propose what would explain every difference that was looked at, or nothing."""
    looked_at = counts.get(of.LOOKED_AT, 0)
    if looked_at < of.LOOKED_AT_LEAST:
        return None
    numbers = {
        "compared": compared,
        "differed": counts.get(of.DIFFERED, 0),
        "looked_at": looked_at,
    }
    for name in EQUIVALENCES:
        if counts.get(name, 0) == looked_at:
            why = f"it explains all {looked_at} differences that were looked at here"
            value = {"name": name, "at": [place.path]}
            return Proposal(route, "equivalences", place.path, value, why, numbers)
    pairs, again = counts.get(of.NEW_PAIR, 0), counts.get(of.SAME_PAIR, 0)
    others = counts.get(of.OTHER_PAIR, 0)
    if others or pairs + again < looked_at or pairs < NEW_PAIRS_LEAST or again < MET_AGAIN_LEAST:
        return None
    numbers |= {"pairs": pairs, "met_again": again}
    why = (
        f"{pairs} names met a partner of their own here, which {again} later answers kept to,"
        " and none did not"
    )
    return Proposal(route, "correspond", place.path, {"path": place.path}, why, numbers)


def _name_of(route: str, section: str, path: str) -> str:
    named = f"{route}\n{section}\n{path}"
    return hashlib.blake2b(named.encode(), digest_size=8).hexdigest()
