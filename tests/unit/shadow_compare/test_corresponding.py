from __future__ import annotations

from datetime import date
from typing import Any

import orjson
import pytest

from shadow_compare.compare import compare
from shadow_compare.correspondence import Correspondence
from shadow_compare.corresponding import Known
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer, Headers
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison, Verdict

TODAY = date(2026, 12, 1)
JSON: Headers = (("content-type", "application/json"),)
HTML: Headers = (("content-type", "text/html; charset=utf-8"),)


class Route:
    """One route, whose exchanges teach each other."""

    def __init__(self, *places: str | dict[str, str], **rules: Any) -> None:
        declared = [{"path": each} if isinstance(each, str) else each for each in places]
        self.rules = CompareRules.build(correspond=declared, **rules)
        self.pairs = Correspondence()

    def meet(self, old: Json, new: Json) -> Comparison:
        """Compare two JSON answers, and learn what met if they are the same."""
        return self.meet_bytes(orjson.dumps(old), orjson.dumps(new), JSON)

    def meet_bytes(self, old: bytes, new: bytes, headers: Headers) -> Comparison:
        """Compare two answers."""
        known = Known("route", self.rules, self.pairs)
        answers = Answer(200, headers, old), Answer(200, headers, new)
        found = compare(*answers, self.rules, TODAY, known=known)
        if found.verdict is Verdict.MATCH:
            known.learn()
        return found


def places(comparison: Comparison) -> list[str]:
    """Give the places that count."""
    return [place for _, place in comparison.places]


def test_the_first_exchange_teaches_and_later_ones_must_agree() -> None:
    """981 is 7f3a from then on, whatever else the answers say."""
    route = Route("$.id")
    first = route.meet({"id": 981, "n": 1}, {"id": "7f3a", "n": 1})
    assert first.verdict is Verdict.MATCH
    assert first.fired == (("correspond:$.id", 1),)
    assert route.meet({"id": 981, "n": 2}, {"id": "7f3a", "n": 2}).verdict is Verdict.MATCH
    wrong = route.meet({"id": 981, "n": 2}, {"id": "8b00", "n": 2})
    assert places(wrong) == ["$.id"]
    assert (wrong.differences[0].old, wrong.differences[0].new) == (981, "8b00")
    assert places(route.meet({"id": 982}, {"id": "7f3a"})) == ["$.id"]


def test_equal_names_may_belong_to_different_things() -> None:
    """Where both sides count, the same number is often somebody else."""
    route = Route("$.id")
    route.meet({"id": 5}, {"id": 7})
    assert places(route.meet({"id": 5}, {"id": 5})) == ["$.id"]
    assert places(route.meet({"id": 7}, {"id": 7})) == ["$.id"]
    assert route.meet({"id": 8}, {"id": 8}).verdict is Verdict.MATCH
    assert places(route.meet({"id": 8}, {"id": 9})) == ["$.id"]


def test_nothing_is_learnt_from_answers_that_differ() -> None:
    """Two answers about different things do not teach that these are one."""
    route = Route("$.id")
    assert places(route.meet({"id": 1, "name": "Ada"}, {"id": "b", "name": "Bob"})) == ["$.name"]
    assert route.meet({"id": 1, "name": "Ada"}, {"id": "a", "name": "Ada"}).verdict is Verdict.MATCH


def test_one_exchange_must_agree_with_itself() -> None:
    """A name that meets two partners in one answer is a difference, and teaches nothing."""
    route = Route({"path": "$.id", "name": "user"}, {"path": "$.owner", "name": "user"})
    assert places(route.meet({"id": 1, "owner": 1}, {"id": "a", "owner": "b"})) == ["$.owner"]
    assert route.meet({"id": 1, "owner": 1}, {"id": "a", "owner": "a"}).verdict is Verdict.MATCH
    assert len(route.pairs) == 1


def test_rows_in_another_order_are_matched_by_ids_that_are_known() -> None:
    """An array may be keyed by an id that each side makes."""
    route = Route("$[*].id", arrays=[("$", "id")])
    rows = [{"id": 1, "n": "x"}, {"id": 2, "n": "y"}]
    theirs = [{"id": "a", "n": "x"}, {"id": "b", "n": "y"}]
    assert route.meet(rows, theirs).verdict is Verdict.MATCH
    moved = route.meet(rows, theirs[::-1])
    assert moved.places == (("reordered", "$[order]"),)
    swapped = [{"id": "b", "n": "x"}, {"id": "a", "n": "y"}]
    assert ("value_changed", "$[*].n") in route.meet(rows, swapped).places


def test_rows_whose_ids_nobody_knows_are_paired_by_what_else_they_say() -> None:
    """A new row in front does not shift what the others are called."""
    route = Route("$[*].id")
    rows = [{"id": i, "n": name} for i, name in enumerate("abcdef")]
    theirs = [{"id": f"m{i}", "n": name} for i, name in enumerate("abcdef")]
    found = route.meet([{"id": 9, "n": "new"}, *rows], theirs)
    assert found.places == (("length_changed", "$[length]"), ("missing", "$[*]"))
    assert found.differences[-1].old == {"id": 9, "n": "new"}
    assert route.meet(rows, theirs).verdict is Verdict.MATCH
    assert len(route.pairs) == 6


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"id": 1}, {"id": None}),
        ({"id": 1}, {}),
        ({"id": [1]}, {"id": ["a"]}),
        ({"id": 1.5}, {"id": 2.5}),
    ],
)
def test_what_is_no_name_is_compared_as_it_is(old: Json, new: Json) -> None:
    """Nothing, lists and fractions correspond to nothing."""
    found = Route("$.id").meet(old, new)
    assert found.verdict is Verdict.MISMATCH
    assert found.differences[0].old in (1, 1.5, [1])


def test_maps_indexes_and_quoted_members_are_places_too() -> None:
    """Every form of path that names one place can be declared."""
    route = Route("$.users.*.id", "$.first[0]", "$['a b']")
    old = {"users": {"x": {"id": 1}, "y": {"id": 2}}, "first": [3, 4], "a b": 5}
    new = {"users": {"x": {"id": "a"}, "y": {"id": "b"}}, "first": ["c", 4], "a b": "e"}
    assert route.meet(old, new).verdict is Verdict.MATCH
    assert len(route.pairs) == 4
    assert route.meet([1], [1]).verdict is Verdict.MATCH


def test_tokens_of_forms_in_pages_correspond() -> None:
    """A hidden field that each side fills with its own token is paired, not ignored."""
    page = (
        b"<form id=login action=/in><input type=hidden name=csrf value=%s><input name=user></form>"
    )
    route = Route("html.form[#login].input[csrf].value")
    assert route.meet_bytes(page % b"l1", page % b"m1", HTML).verdict is Verdict.MATCH
    assert len(route.pairs) == 1
    assert route.meet_bytes(page % b"l1", page % b"m2", HTML).verdict is Verdict.MISMATCH
    assert route.meet_bytes(page % b"l2", page % b"m2", HTML).verdict is Verdict.MATCH


@pytest.mark.parametrize(
    "body", [b'{"id": 5', b"", b"\xff\xfe", b'Notice: x\n{"id":1}', b'{"id":1}']
)
def test_equal_bodies_are_equal_also_when_they_are_looked_at(body: bytes) -> None:
    """Looking at what is equal finds nothing where there are no names, or no JSON at all."""
    assert Route("$.id").meet_bytes(body, body, JSON).verdict is Verdict.MATCH
