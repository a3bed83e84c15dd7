from __future__ import annotations

from collections import Counter
from datetime import date

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare import evidence as of
from shadow_compare.compare import compare_json
from shadow_compare.evidence import NOWHERE, PLACES_MAX, Evidence, Fact
from shadow_compare.json_value import Json
from shadow_compare.noise import Place
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison

EXACT = CompareRules.build()
OTHER = CompareRules.build(equivalences=["int_bool"])


def between(old: Json, new: Json) -> Comparison:
    """Compare two JSON answers exactly."""
    return compare_json(orjson.dumps(old), orjson.dumps(new), EXACT, date(2026, 12, 1))


def at(place: Place, counts: dict[Fact, int]) -> dict[str, int]:
    """Give what was counted of a place."""
    return {f.kind: n for f, n in counts.items() if (f.what, f.path) == place}


def test_noise_is_counted_with_its_base() -> None:
    """Each baseline counts, and each place that disagreed in it once, near or far."""
    evidence = Evidence()
    now, then = {"at": "2026-12-01 10:00:00", "n": 1}, {"at": "2026-12-01 10:00:09", "n": 2}
    for old, new in [(now, then), (now, now), (then, now)]:
        evidence.baseline("plans", EXACT, between(old, new))
    counts = evidence.take()
    assert at(NOWHERE, counts) == {of.BASELINES: 3}
    assert at(Place("value", "$.at"), counts) == {of.DISAGREED: 2, of.NEAR: 2}
    assert at(Place("value", "$.n"), counts) == {of.DISAGREED: 2}
    assert evidence.take() == {}


def test_what_would_explain_a_difference_is_counted() -> None:
    """Of the places that count every difference is tried against every equivalence."""
    evidence = Evidence()
    rows = between([{"p": "9.90"}, {"p": "1.00"}], [{"p": 9.9}, {"p": "1"}])
    evidence.candidate("plans", EXACT, rows)
    evidence.mismatch("plans", EXACT, rows)
    counts = evidence.take()
    assert at(NOWHERE, counts) == {of.COMPARED: 1}
    typed = at(Place("type", "$[*].p"), counts)
    assert typed == {of.DIFFERED: 1, of.LOOKED_AT: 1, "number_as_string": 1}
    assert at(Place("value", "$[*].p"), counts)[of.LOOKED_AT] == 1


def test_pairs_of_names_are_counted_by_whether_they_keep_to_each_other() -> None:
    """A new pair, the same again, and another partner."""
    evidence = Evidence()
    for old, new in [(1, "a"), (2, "b"), (1, "a"), (1, "c")]:
        evidence.mismatch("users", EXACT, between({"id": old}, {"id": new}))
    counts = at(Place("type", "$.id"), evidence.take())
    assert (counts[of.NEW_PAIR], counts[of.SAME_PAIR], counts[of.OTHER_PAIR]) == (2, 1, 1)


@pytest.mark.parametrize(("old", "new"), [("29.00", "29.50"), ("-1,5", "+1,6"), (".5", ".6")])
def test_amounts_are_no_names(old: str, new: str) -> None:
    """A price that is wrong in the same way each time is never proposed to correspond."""
    evidence = Evidence()
    for _ in range(9):
        evidence.mismatch("plans", EXACT, between({"p": old}, {"p": new}))
    counts = at(Place("value", "$.p"), evidence.take())
    assert counts[of.LOOKED_AT] == 9
    assert not {of.NEW_PAIR, of.SAME_PAIR} & counts.keys()


def test_evidence_is_of_one_version_of_the_rules() -> None:
    """What was counted under rules that are gone is not told as if it were under the new ones."""
    evidence = Evidence()
    evidence.candidate("plans", EXACT, between({"a": 1}, {"a": 2}))
    evidence.candidate("users", EXACT, between({"a": 1}, {"a": 2}))
    evidence.keep({"plans": OTHER, "users": EXACT})
    assert {(fact.route, fact.rules) for fact in evidence.take()} == {("users", EXACT.fingerprint)}


def test_memory_is_bounded() -> None:
    """Answers that differ in ever new places, and paths without end, fill what there is."""
    evidence = Evidence()
    for i in range(3 * PLACES_MAX):
        evidence.candidate("plans", EXACT, between({f"a{i}": 1}, {f"a{i}": 2}))
    evidence.candidate("long", EXACT, between({"x" * 400: 1}, {"x" * 400: 2}))
    counts = evidence.take()
    assert len(counts) == PLACES_MAX + 2
    assert at(NOWHERE, counts) == {of.COMPARED: 1}
    assert max(len(fact.path) for fact in counts) < 300


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.booleans())))
def test_taking_in_parts_adds_up_to_the_whole(events: list[tuple[int, int, bool]]) -> None:
    """However often counts are taken or put back, nothing is lost or counted twice."""
    whole, parts, total = Evidence(), Evidence(), Counter[Fact]()
    for old, new, put_back in events:
        comparison = between({"v": old}, {"v": new})
        whole.candidate("r", EXACT, comparison)
        parts.candidate("r", EXACT, comparison)
        taken = parts.take()
        if put_back:
            parts.put_back(taken)
        else:
            total.update(taken)
    total.update(parts.take())
    assert dict(total) == whole.take()
