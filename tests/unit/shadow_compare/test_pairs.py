from __future__ import annotations

from datetime import date

import pytest

from shadow_compare.compare import compare_json
from shadow_compare.examine import Examined
from shadow_compare.normalize import Answer
from shadow_compare.pairs import (
    PAIRS_MAX,
    Baselines,
    Evidence,
    Pair,
    pairs_of,
    pairs_without_answer,
)
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison, Verdict
from tests.support_shadow import JSON, a_capture

RULES = CompareRules.build(critical=["$.price"])
SAME = Comparison(Verdict.MATCH)


def compared(old: bytes, new: bytes, *, verified: bool = True) -> Examined:
    """Give what came of two bodies."""
    comparison = compare_json(old, new, RULES, date(2026, 1, 1))
    return Examined(comparison, Answer(200, JSON, new), 0.1, verified)


@pytest.mark.parametrize(
    ("primary", "status", "candidate", "kind", "legacy", "modern"),
    [
        ("legacy", 200, 503, "modern_failed", 200, 503),
        ("legacy", 500, 200, "legacy_failed", 500, 200),
        ("modern", 200, 500, "legacy_failed", 500, 200),
        ("modern", 500, 200, "modern_failed", 200, 500),
        ("legacy", 500, 502, None, 0, 0),
        ("legacy", 404, 404, None, 0, 0),
    ],
)
def test_which_side_failed(
    primary: str, status: int, candidate: int, kind: str | None, legacy: int, modern: int
) -> None:
    """A pair is evidence when one side failed and the other did not, whoever served the client."""
    capture = a_capture(primary=primary, status=status)
    found = pairs_of(capture, Examined(SAME, Answer(candidate, JSON, b""), 0.1), RULES, str)
    told = [(pair.kind, pair.legacy, pair.modern) for pair in found]
    assert told == ([] if kind is None else [(kind, legacy, modern)])


@pytest.mark.parametrize(
    ("old", "new", "verified", "kind", "place"),
    [
        (b'{"price":1,"a":1}', b'{"price":2,"a":2}', True, "critical", "$.price"),
        (b'{"price":1}', b'{"price":2}', False, "mismatch", "$.price"),
        (b'{"a":1}', b'{"a":2}', True, "mismatch", "$.a"),
        (b'{"a":1}', b'{"a":1}', True, None, ""),
    ],
)
def test_what_differs(old: bytes, new: bytes, verified: bool, kind: str | None, place: str) -> None:
    """A critical difference that was looked at twice is told as such; all others are mismatches."""
    found = pairs_of(a_capture(), compared(old, new, verified=verified), RULES, str)
    assert [(pair.kind, pair.place) for pair in found] == ([(kind, place)] if kind else [])


def test_nothing_is_told_that_names_a_person() -> None:
    """No query, and places as the redactor leaves them."""
    capture = a_capture(target="/api/plans?email=a@example.org")
    [pair] = pairs_of(capture, compared(b'{"a":1}', b'{"a":2}'), RULES, lambda text: text.upper())
    assert (pair.path, pair.place) == ("/api/plans", "$.A")


@pytest.mark.parametrize(
    ("reason", "status", "told"),
    [
        ("candidate_unreachable", 200, 1),
        ("candidate_broken", 200, 1),
        ("candidate_broken", 500, 0),
        ("timeout", 200, 0),
        ("stale", 200, 0),
    ],
)
def test_no_answer_is_a_failure_unless_it_may_be_our_own(
    reason: str, status: int, told: int
) -> None:
    """Time says nothing here: a shadow worker with too much to do is slow itself."""
    assert len(pairs_without_answer(a_capture(status=status), reason)) == told


def test_evidence_is_told_once_and_bounded() -> None:
    """What was told is not told again, and a storm does not fill the memory."""
    told: list[tuple[list[Pair], Baselines]] = []
    evidence = Evidence(lambda *news: told.append(news), lambda _error: None)
    evidence.tell()
    for _ in range(2 * PAIRS_MAX):
        evidence.add(pairs_without_answer(a_capture(), "candidate_broken"))
    for differs in (True, False, False):
        evidence.baseline("plans", differs=differs)
    evidence.tell()
    evidence.tell()
    assert [(len(pairs), baselines) for pairs, baselines in told] == [
        (PAIRS_MAX, {"plans": (3, 1)})
    ]


def test_a_listener_that_fails_is_no_problem() -> None:
    """What it raises is handed over, and nothing else happens."""

    def broken(_pairs: list[Pair], _baselines: Baselines) -> None:
        raise RuntimeError("not now")

    failures: list[Exception] = []
    evidence = Evidence(broken, failures.append)
    evidence.baseline("plans", differs=False)
    evidence.tell()
    assert [str(each) for each in failures] == ["not now"]
