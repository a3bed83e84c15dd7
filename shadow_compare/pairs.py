"""Single pairs of answers that are evidence about modern, told soon and each with its identity.

Counts cannot say whether a hundred differences are a hundred customers or one in a loop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from shadow_compare.capture import LEGACY, Capture
from shadow_compare.examine import Examined
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Verdict

MODERN_FAILED: Final = "modern_failed"
LEGACY_FAILED: Final = "legacy_failed"
MISMATCH: Final = "mismatch"
CRITICAL: Final = "critical"

NO_ANSWER: Final = frozenset({"candidate_unreachable", "candidate_broken"})
"""Why a side gave no answer, by its own doing. Time is left out: a shadow worker that has too much
to do is slow itself."""

PAIRS_MAX: Final = 64
"""Pairs told at once; of a side on which everything fails the first are enough."""

PATH_MAX: Final = 200
_SERVER_ERROR: Final = 500


class Pair(NamedTuple):
    """One pair: statuses are 0 where there was no answer, `place` is a wildcard path."""

    route: str
    kind: str
    at: float
    identity: int
    method: str
    path: str
    request_id: str
    legacy: int
    modern: int
    place: str = ""


Baselines = dict[str, tuple[int, int]]
"""By route: how often the primary's side was asked twice, and how often its answers differed."""


def pairs_of(
    capture: Capture, examined: Examined, rules: CompareRules, redact: Callable[[str], str]
) -> list[Pair]:
    """Give what one comparison is evidence of: which side failed, and what differs.

    A place is a path, and a path has names of members in it, which may name a person: `redact`.
    """
    found = _failed(capture, examined.candidate.status)
    comparison = examined.comparison
    if comparison.verdict is Verdict.MISMATCH:
        is_critical = comparison.critical and examined.verified
        critical = (each.place for each in comparison.differences if rules.is_critical(each.path))
        first = comparison.places[0][1] if comparison.places else ""
        place = next(critical, first) if is_critical else first
        kind = CRITICAL if is_critical else MISMATCH
        found.append(_pair(capture, examined.candidate.status, kind, redact(place)))
    return found


def pairs_without_answer(capture: Capture, reason: str) -> list[Pair]:
    """Give what it is evidence of that the other side gave no answer."""
    return _failed(capture, 0) if reason in NO_ANSWER else []


def _failed(capture: Capture, candidate: int) -> list[Pair]:
    primary_failed = capture.status >= _SERVER_ERROR
    candidate_failed = candidate >= _SERVER_ERROR or not candidate
    if primary_failed == candidate_failed:
        return []
    modern_failed = candidate_failed if capture.primary == LEGACY else primary_failed
    return [_pair(capture, candidate, MODERN_FAILED if modern_failed else LEGACY_FAILED)]


def _pair(capture: Capture, candidate: int, kind: str, place: str = "") -> Pair:
    by_legacy = capture.primary == LEGACY
    return Pair(
        route=capture.route,
        kind=kind,
        at=capture.at,
        identity=capture.identity,
        method=capture.method,
        path=capture.target.partition("?")[0][:PATH_MAX],
        request_id=capture.id,
        legacy=capture.status if by_legacy else candidate,
        modern=candidate if by_legacy else capture.status,
        place=place,
    )


class Evidence:
    """Pairs and baselines since they were told last; `failed` hears when that cannot be done."""

    def __init__(
        self,
        on_evidence: Callable[[list[Pair], Baselines], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._on_evidence = on_evidence
        self._failed = failed
        self._pairs: list[Pair] = []
        self._baselines: Baselines = {}

    @property
    def has_pairs(self) -> bool:
        """Whether any pair waits to be told."""
        return bool(self._pairs)

    def add(self, pairs: list[Pair]) -> None:
        """Take pairs, as many as there is room for."""
        self._pairs += pairs[: PAIRS_MAX - len(self._pairs)]

    def baseline(self, route: str, *, differs: bool) -> None:
        """Count one baseline."""
        n, differed = self._baselines.get(route, (0, 0))
        self._baselines[route] = (n + 1, differed + differs)

    def tell(self) -> None:
        """Tell everything there is."""
        pairs, baselines = self._pairs, self._baselines
        if not pairs and not baselines:
            return
        self._pairs, self._baselines = [], {}
        try:
            self._on_evidence(pairs, baselines)
        except Exception as error:  # a listener's failure is not ours
            self._failed(error)
