"""What accepting a group of differences would rule out, before anybody does it (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from shadow_compare.paths import Pattern, covers, parse_pattern
from shadow_compare.report.summary import SignatureDetail, SignatureSummary

_ELEMENT = re.compile(r"\[[^\[\]=]+=[^\]]*\]")
"""An element named by its key, as `[id=40]`: a rule speaks for it as for any other, `[*]`."""


@dataclass(frozen=True, slots=True)
class CoveredSample:
    """A stored exchange; `left` are the places where it would differ all the same."""

    request_id: str
    at: float
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CoveredGroup:
    """Another group of the route that differs at one of the places; `left` are its others."""

    summary: SignatureSummary
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covering:
    """What rules for `paths` would cover; `more_groups` says that not all others were looked at."""

    paths: tuple[str, ...]
    critical: bool
    samples: tuple[CoveredSample, ...]
    groups: tuple[CoveredGroup, ...]
    more_groups: bool = False

    @property
    def covered(self) -> int:
        """How many stored samples would count as equal."""
        return sum(not sample.left for sample in self.samples)

    @property
    def gone(self) -> tuple[CoveredGroup, ...]:
        """Other groups of which nothing would be left."""
        return tuple(group for group in self.groups if not group.left)

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "paths": list(self.paths),
            "critical": self.critical,
            "samples": [
                {"request_id": each.request_id, "at": each.at, "left": list(each.left)}
                for each in self.samples
            ],
            "groups": [
                {
                    "id": each.summary.id,
                    "paths": list(each.summary.paths),
                    "count": each.summary.count,
                    "left": list(each.left),
                }
                for each in self.groups
            ],
            "more_groups": self.more_groups,
        }


def covering(
    found: SignatureDetail,
    paths: Iterable[str],
    others: Sequence[SignatureSummary],
    *,
    more: bool = False,
) -> Covering:
    """Say what ignore rules for these places of a group would cover; `others` are of its route."""
    wanted = tuple(dict.fromkeys(map(rule_path, paths or found.summary.paths)))
    patterns = [pattern for path in wanted if (pattern := _pattern(path)) is not None]
    samples = [
        CoveredSample(each.request_id, each.at, _left(patterns, (d.path for d in each.differences)))
        for each in found.samples
    ]
    groups = [
        CoveredGroup(each, left)
        for each in others
        if each.id != found.summary.id
        and len(left := _left(patterns, each.paths)) < len(dict.fromkeys(each.paths))
    ]
    return Covering(wanted, found.summary.critical, tuple(samples), tuple(groups), more)


def rule_path(path: str) -> str:
    """Give the place as a rule names it: the status is one, whatever its two values."""
    return "status" if path.startswith("status ") else path


def _left(patterns: Sequence[Pattern], paths: Iterable[str]) -> tuple[str, ...]:
    """Give the places that no pattern speaks for; one that cannot be read is among them."""
    places = ((path, _pattern(_ELEMENT.sub("[*]", rule_path(path)))) for path in paths)
    return tuple(
        dict.fromkeys(
            path
            for path, place in places
            if place is None or not any(_speaks_for(each, place) for each in patterns)
        )
    )


def _speaks_for(pattern: Pattern, place: Pattern) -> bool:
    """Whether a pattern names a place, or one above it, that is itself written with wildcards."""
    return covers(pattern, place)  # type: ignore[arg-type] # a wildcard is only equal to itself


def _pattern(path: str) -> Pattern | None:
    try:
        return parse_pattern(path)
    except ValueError:
        return None
