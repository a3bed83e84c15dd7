from __future__ import annotations

import gzip
import json
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow_compare.budget import Budget
from shadow_compare.compare import compare, compare_json
from shadow_compare.difference import (
    ABSENT,
    Difference,
    Extra,
    LengthChanged,
    Missing,
    Reordered,
    TypeChanged,
    ValueChanged,
)
from shadow_compare.json_value import Json
from shadow_compare.normalize import Answer
from shadow_compare.paths import Aspect, Element
from shadow_compare.rules import CompareRules
from shadow_compare.verdict import Comparison, Verdict

TODAY = date(2026, 3, 1)
NONE = CompareRules()
PHP = CompareRules.build(
    equivalences=["number_as_string", "int_bool", "empty_map_list", "php_datetime", "zero_date"],
    ignore=[{"path": "$.meta.generated_at", "reason": "clock"}],
    critical=["$.data[*].price"],
)
TEXT = (("content-type", "text/html"),)
JSON = (("content-type", "application/json"),)

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.floats(-2, 2) | st.text("ab", max_size=2),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abc", max_size=1), inner, max_size=4)
    ),
    max_leaves=20,
)


def of(old: Json, new: Json, rules: CompareRules = NONE) -> Comparison:
    """Compare two values as PHP and Python would send them."""
    php = json.dumps(old, separators=(",", ":")).replace("/", "\\/").encode()
    return compare_json(php, json.dumps(new, ensure_ascii=False).encode(), rules, TODAY)


DIFFERENCES: list[tuple[Json, Json, list[Difference]]] = [
    ({"a": 1}, {}, [Missing(("$", "a"), 1)]),
    ({}, {"a": None}, [Extra(("$", "a"), new=None)]),
    ({"a": 1}, {"a": "1"}, [TypeChanged(("$", "a"), 1, "1")]),
    ({"a": 1}, {"a": True}, [TypeChanged(("$", "a"), 1, True)]),
    ({"a": None}, {"a": ""}, [TypeChanged(("$", "a"), None, "")]),
    ({"a": []}, {"a": {}}, [TypeChanged(("$", "a"), [], {})]),
    ({"a": 1}, {"a": 2}, [ValueChanged(("$", "a"), 1, 2)]),
    ({"a": {"b": [{"c": "x"}]}}, {"a": {"b": [{"c": "y"}]}},
     [ValueChanged(("$", "a", "b", 0, "c"), "x", "y")]),
    ([1, 2, 3], [2, 3, 1], [Reordered(("$", Aspect.ORDER), [0, 1, 2], [2, 0, 1])]),
    ([1, 2], [1, 2, 3], [LengthChanged(("$", Aspect.LENGTH), 2, 3), Extra(("$", 2), new=3)]),
    ([1, 2, 3], [2, 3], [LengthChanged(("$", Aspect.LENGTH), 3, 2), Missing(("$", 0), 1)]),
    ([1, 9, 3], [1, 8, 3], [ValueChanged(("$", 1), 9, 8)]),
    ([[1], [2]], [[1], [3]], [ValueChanged(("$", 1, 0), 2, 3)]),
    (1, [], [TypeChanged(("$",), 1, [])]),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), DIFFERENCES)
def test_kinds_of_difference(old: Json, new: Json, expected: list[Difference]) -> None:
    """Each kind is told with its path and both values."""
    found = of(old, new)
    assert found.verdict is Verdict.MISMATCH
    assert list(found.differences) == expected


def test_numbers_are_compared_as_decimals_of_their_tokens() -> None:
    """What a float would swallow is a difference, and so is another scale."""
    tiny = compare_json(b'{"a":0.1}', b'{"a":0.10000000000000000001}', NONE, TODAY)
    assert tiny.verdict is Verdict.MISMATCH
    scale = compare_json(b'{"a":9.9}', b'{"a":9.90}', NONE, TODAY)
    assert scale.verdict is Verdict.MISMATCH
    big = compare_json(b'{"a":9007199254740993}', b'{"a":9007199254740992.0}', NONE, TODAY)
    assert big.verdict is Verdict.MISMATCH
    rules = CompareRules.build(equivalences=["trailing_zero"])
    again = compare_json(b'{"a":9.9}', b'{"a":9.90}', rules, TODAY)
    assert (again.verdict, again.fired) == (Verdict.MATCH, (("trailing_zero", 1),))


def test_rounding_half_up_against_half_even_is_a_difference() -> None:
    """Money that was rounded otherwise is never the same."""
    assert of({"a": "2.68"}, {"a": 2.67}, PHP).verdict is Verdict.MISMATCH


def test_spelling_is_no_difference() -> None:
    """Order of members, escapes and white space say nothing."""
    old = b'{"url":"\\/a\\/b","name":"Zo\\u00eb","n":1}'
    new = '{ "n": 1, "name": "Zoë", "url": "/a/b" }'.encode()
    assert compare_json(old, new, NONE, TODAY) == Comparison(Verdict.MATCH)


def test_billing_face_differs_only_in_declared_ways() -> None:
    """The two spellings of a subscription match, and every equivalence that fired is counted."""
    old = {
        "data": [{"id": 40, "price": "29.00", "active": 1, "at": "2024-03-01 10:00:00",
                  "paid_at": "0000-00-00 00:00:00"}],
        "meta": {"filters": [], "generated_at": "2026-03-01 00:00:00"},
    }  # fmt: skip
    new = {
        "data": [{"id": 40, "price": 29.0, "active": True, "at": "2024-03-01T10:00:00+00:00",
                  "paid_at": None}],
        "meta": {"filters": {}, "generated_at": "2026-03-01T00:00:07+00:00"},
    }  # fmt: skip
    found = of(old, new, PHP)
    assert (found.verdict, found.reason) == (Verdict.IGNORED, "rules")
    assert dict(found.fired) == {
        "number_as_string": 1, "int_bool": 1, "php_datetime": 1, "zero_date": 1,
        "empty_map_list": 1, "ignore:$.meta.generated_at": 1,
    }  # fmt: skip
    bare = of(old, new)
    assert [path for _, path in bare.places] == [
        "$.data[*].active", "$.data[*].paid_at", "$.data[*].price", "$.meta.filters",
        "$.data[*].at", "$.meta.generated_at",
    ]  # fmt: skip


def test_critical_difference_is_marked() -> None:
    """A difference at a critical path makes the comparison critical; another one does not."""
    assert of({"data": [{"price": 1}]}, {"data": [{"price": 2}]}, PHP).critical
    assert not of({"data": [{"name": 1}]}, {"data": [{"name": 2}]}, PHP).critical


def test_expired_ignore_rule_lets_the_difference_through() -> None:
    """From the day after its last a rule no longer hides anything."""
    rules = CompareRules.build(ignore=[{"path": "$.a", "until": "2026-02-28"}])
    assert of({"a": 1}, {"a": 2}, rules).verdict is Verdict.MISMATCH


def test_elements_are_matched_by_their_declared_key() -> None:
    """With a key, a row is compared with its like, wherever it stands, and named by its key."""
    rules = CompareRules.build(arrays=[("$.data", "id")])
    old = {"data": [{"id": 1, "n": "a"}, {"id": 2, "n": "b"}]}
    new = {"data": [{"id": 2, "n": "B"}, {"id": 1, "n": "a"}, {"id": 3, "n": "c"}]}
    found = of(old, new, rules)
    assert list(found.differences) == [
        LengthChanged(("$", "data", Aspect.LENGTH), 2, 3),
        Reordered(("$", "data", Aspect.ORDER), [0, 1], [1, 0]),
        ValueChanged(("$", "data", Element("id", "2", 1), "n"), "b", "B"),
        Extra(("$", "data", Element("id", "3", 2)), new={"id": 3, "n": "c"}),
    ]
    assert found.fired == (("array:$.data", 1),)


def test_rules_that_were_not_needed_did_not_fire() -> None:
    """The key of an array whose elements stand where they did; a critical place that is alike."""
    rules = CompareRules.build(arrays=[("$.data", "id")], critical=["$.data[*].n", "$.data[*].m"])
    old = {"data": [{"id": 1, "n": "a", "m": 1}, {"id": 2, "n": "b", "m": 2}]}
    new = {"data": [{"id": 1, "n": "A", "m": 1}, {"id": 2, "n": "B", "m": 2}]}
    assert of(old, new, rules).fired == (("critical:$.data[*].n", 2),)
    assert of(old, {"data": old["data"][1:]}, rules).fired == (("array:$.data", 1),)


def test_key_may_be_spelt_differently() -> None:
    """A declared equivalence also holds for the key itself."""
    rules = CompareRules.build(arrays=[("$", "id")], equivalences=["number_as_string"])
    found = of(
        [{"id": "1", "n": 1}, {"id": "2", "n": 2}], [{"id": 1, "n": 1}, {"id": 2, "n": 3}], rules
    )
    assert [each.place for each in found.differences] == ["$[*].n"]


def test_order_can_be_ruled_out_alone() -> None:
    """Ignoring the order of an array leaves its elements compared."""
    rules = CompareRules.build(ignore=[{"path": "$[order]"}])
    assert of([1, 2, 3], [3, 2, 1], rules).verdict is Verdict.IGNORED
    assert of([1, 2, 3], [3, 2, 4], rules).verdict is Verdict.MISMATCH


def test_ignored_members_do_not_confuse_the_pairing() -> None:
    """Rows that differ in an ignored member only are the same rows, also when one is inserted."""
    rules = CompareRules.build(ignore=[{"path": "$[*].token"}])
    old = [{"n": i, "token": f"a{i}"} for i in range(5)]
    new = [{"n": 99, "token": "x"}, *({"n": i, "token": f"b{i}"} for i in range(5))]
    found = of(old, new, rules)
    assert [each.kind for each in found.differences] == ["length_changed", "extra"]
    assert dict(found.fired) == {"ignore:$[*].token": 5}


def test_thousand_rows_are_one_place() -> None:
    """Places carry wildcards, and only the first differences are kept with their values."""
    old, new = [{"p": i} for i in range(1000)], [{"p": -1 - i} for i in range(1000)]
    found = of(old, new)
    assert found.places == (("value_changed", "$[*].p"),)
    assert len(found.differences) == 100


def test_over_budget_is_not_compared() -> None:
    """An answer beyond the budget is never called equal, nor different."""
    old, new = json.dumps(list(range(100))).encode(), json.dumps(list(range(1, 101))).encode()
    assert compare_json(old, new, NONE, TODAY, Budget(50)) == Comparison.not_compared("too_big")


def test_too_deep_is_not_compared() -> None:
    """Deep nesting ends in a reason, whichever parser meets it."""
    for depth in (200, 400, 5_000, 100_000):
        old = b"[" * depth + b"1" + b"]" * depth
        new = b"[" * depth + b"2" + b"]" * depth
        assert compare_json(old, new, NONE, TODAY) == Comparison.not_compared("too_deep")


def test_nested_arrays_are_walked_over_a_few_times_at_most() -> None:
    """What is tried at each level is not tried again for each level around it."""
    old, new = (b"[" * 100 + leaf + b"]" * 100 for leaf in (b"1", b"2"))
    assert compare_json(old, new, NONE, TODAY, Budget(20_000)).verdict is Verdict.MISMATCH
    old, new = (b"[0," * 100 + leaf + b",9]" * 100 for leaf in (b"1", b"2,3"))
    assert compare_json(old, new, PHP, TODAY, Budget(60_000)).verdict is Verdict.MISMATCH


ROWS = st.fixed_dictionaries(
    {
        "n": st.integers(0, 3),
        "price": st.sampled_from(["1.50", "2.25", "2.5", "10"]),
        "active": st.integers(0, 1),
        "at": st.sampled_from(["2026-01-01 00:00:00", "0000-00-00 00:00:00"]),
        "tags": st.sampled_from([[], ["a"], ["a", "b"]]),
    }
)


def respelt(row: dict[str, Json], *, wrong: bool = False) -> dict[str, Json]:
    """Write a row of PHP as Python would, or with another price."""
    at = str(row["at"])
    return {
        "at": None if at.startswith("0000") else f"{at.replace(' ', 'T')}+00:00",
        "tags": row["tags"] or {},
        "active": bool(row["active"]),
        "price": float(row["price"]) + (0.01 if wrong else 0.0),
        "n": str(row["n"]),
    }


def partner_of(old: Json, news: list[Json]) -> Json:
    """Find one that says the same, the slow way."""
    alike = (Verdict.MATCH, Verdict.IGNORED)
    return next((new for new in news if of([old], [new], PHP).verdict in alike), ABSENT)


@given(st.lists(ROWS, max_size=7), st.data())
@settings(max_examples=150)
def test_rows_that_are_shuffled_and_respelt_compare_as_if_each_were_looked_for(
    rows: list[Json], data: st.DataObject
) -> None:
    """The verdict is that of trying every row with every other: another order, or more."""
    wrong = data.draw(st.sets(st.integers(0, 6), max_size=2))
    news = [respelt(row, wrong=at in wrong) for at, row in enumerate(rows)]
    news = data.draw(st.permutations(news))
    rest = list(news)
    for row in rows:
        partner = partner_of(row, rest)
        if partner is not ABSENT:
            rest.remove(partner)
    kinds = {kind for kind, _ in of(rows, news, PHP).places}
    assert bool(rest) == bool(kinds - {"reordered"})
    in_order = all(
        of([o], [n], PHP).verdict is Verdict.MATCH for o, n in zip(rows, news, strict=True)
    )
    assert in_order == (not kinds)


def test_shuffled_rows_find_those_that_are_close_enough() -> None:
    """By what else is equal, by their size, and without counting any rule twice."""
    near = CompareRules.build(
        equivalences=["float_precision", "number_as_string"],
        tolerances=[{"path": "$[*].price", "within": "0.01"}, {"path": "$[*].at", "time": 2}],
    )
    old = [{"id": i % 3, "price": i * 1.0, "at": f"2026-01-01 00:00:{i:02}"} for i in range(9)]
    new = [{**row, "price": f"{row['price'] + 0.004}"} for row in old[4:] + old[:4]]  # type: ignore[operator] # a float
    found = of(old, new, near)
    assert found.places == (("reordered", "$[order]"),)
    assert dict(found.fired) == {"tolerance:$[*].price": 9}
    assert of([0.1, 0.2, 0.5], [0.5, 0.1, 0.30000000000000004 - 0.1], near).places == (
        ("reordered", "$[order]"),
    )
    lacking = of(old, new[1:], near).places
    assert lacking == (
        ("length_changed", "$[length]"),
        ("missing", "$[*]"),
        ("reordered", "$[order]"),
    )


def test_many_rows_in_another_order_are_one_difference() -> None:
    """Also with rules, without a key, and when some rows stand there more than once."""
    rows = [{"id": i % 4000, "price": f"{i % 100}.5", "active": 1} for i in range(5000)]
    turned = rows[2500:] + rows[:2500]
    for rules in (NONE, PHP):
        found = of(rows, turned, rules)
        assert found.places == (("reordered", "$[order]"),)
    respelt = [{**row, "price": float(row["price"]), "active": True} for row in turned]  # type: ignore[arg-type] # a string
    found = of(rows, respelt, PHP)
    assert found.places == (("reordered", "$[order]"),)
    assert dict(found.fired) == {"number_as_string": 5000, "int_bool": 5000}


def test_comparison_that_takes_too_long_is_given_up() -> None:
    """It says so, and neither that they are equal nor that they differ."""
    old, new = (json.dumps(list(range(start, 50_000))).encode() for start in (0, 7))
    late = compare_json(old, new, PHP, TODAY, Budget(is_over=lambda: True))
    assert late == Comparison.not_compared("too_slow")


def test_huge_numbers_are_compared_digit_by_digit() -> None:
    """Of ten thousand digits the last one counts."""
    nines = b"9" * 10_000
    assert compare_json(nines, nines[:-1] + b"8", PHP, TODAY).verdict is Verdict.MISMATCH
    assert compare_json(b"[" + nines + b"]", b"[ " + nines + b"]", NONE, TODAY).verdict == "match"
    assert compare_json(b"[1e400]", b"[1E+400]", NONE, TODAY).verdict is Verdict.MATCH
    assert compare_json(b"[1e400]", b"[1e401]", PHP, TODAY).verdict is Verdict.MISMATCH


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"a":1,"a":1}', "stands twice"),
        (b'{"a":NaN}', "NaN is not JSON"),
        (b"\xef\xbb\xbf{}", "BOM"),
        (b"<b>Notice</b>: x {}", "Expecting value"),
        (b"", "Expecting value"),
    ],
)
def test_broken_json_against_sound_json_is_a_difference(body: bytes, why: str) -> None:
    """Text that is not JSON is told as a change of type, with what is wrong."""
    (difference,) = compare_json(body, b"{}", NONE, TODAY).differences
    assert isinstance(difference, TypeChanged)
    assert why in difference.old
    assert difference.new == "json: {}"


def test_broken_json_on_both_sides_is_compared_as_text() -> None:
    """Nothing is assumed about what a client makes of it."""
    found = compare_json(b'{"a":1,"a":1}', b'{"a":2,"a":1}', NONE, TODAY)
    assert found.verdict is Verdict.MISMATCH
    assert compare_json(b"{x", b"{x", NONE, TODAY).verdict is Verdict.MATCH


def test_lone_surrogates_are_values_like_others() -> None:
    """Text without a UTF-8 form is compared and does not crash anything."""
    old, new = b'{"a":"\\ud800"}', b'{"a":"\\udfff"}'
    assert compare_json(old, new, NONE, TODAY).verdict is Verdict.MISMATCH
    assert compare_json(old, b'{ "a":"\\uD800"}', NONE, TODAY).verdict is Verdict.MATCH


def test_status_says_it_all() -> None:
    """Another status is one difference by its values; the bodies are not picked apart."""
    old, new = Answer(200, JSON, b'{"data":[]}'), Answer(500, JSON, b'{"error":1}')
    found = compare(old, new, NONE, TODAY)
    assert found.places == (("value_changed", "status 200 -> 500"),)


def test_ignored_status_lets_the_bodies_be_compared() -> None:
    """A rule may rule the status out; the bodies count all the same."""
    rules = CompareRules.build(ignore=[{"path": "status"}])
    old, new = Answer(200, JSON, b'{"a":1}'), Answer(404, JSON, b'{"a":1}')
    assert compare(old, new, rules, TODAY).verdict is Verdict.IGNORED
    other = Answer(404, JSON, b'{"a":2}')
    assert compare(old, other, rules, TODAY).places == (("value_changed", "$.a"),)


def test_headers_of_the_list_are_compared() -> None:
    """A redirect elsewhere is a mismatch although the bodies are equal."""
    old, new = Answer(302, (("location", "/a"),), b""), Answer(302, (("location", "/b"),), b"")
    assert compare(old, new, NONE, TODAY).places == (("value_changed", "headers.location"),)


def test_text_shows_what_stands_around_the_first_change() -> None:
    """A long page is told by the place where it starts to differ."""
    old = Answer(200, TEXT, b"x" * 1000 + b"Preis: 9,90" + b"y" * 1000)
    new = Answer(200, TEXT, b"x" * 1000 + b"Preis: 9.90" + b"y" * 1000)
    (difference,) = compare(old, new, NONE, TODAY).differences
    assert "Preis: 9,90" in difference.old
    assert "Preis: 9.90" in difference.new
    assert len(difference.old) == 122


def test_other_content_is_compared_by_digest() -> None:
    """Images and the like are equal or not."""
    image = (("content-type", "image/png"),)
    same = compare(Answer(200, image, b"\x89P"), Answer(200, image, b"\x89P"), NONE, TODAY)
    assert same.verdict is Verdict.MATCH
    (difference,) = compare(
        Answer(200, image, b"\x89P"), Answer(200, image, b"\x89Q"), NONE, TODAY
    ).differences
    assert difference.old.startswith("2 bytes, sha256 ")


def test_json_on_one_side_is_compared_as_json() -> None:
    """A legacy answer that calls its JSON text/html differs in that header and not in its body."""
    old, new = Answer(200, TEXT, b'{"a":1,"b":2}'), Answer(200, JSON, b'{"b":2,"a":1}')
    assert compare(old, new, NONE, TODAY).places == (("value_changed", "headers.content-type"),)


def test_encodings_are_undone_before_comparing() -> None:
    """A compressed answer equals the same content sent plainly; a broken one is not compared."""
    packed = (*JSON, ("content-encoding", "gzip"))
    plain = Answer(200, JSON, b"{}")
    assert compare(plain, Answer(200, packed, gzip.compress(b"{}")), NONE, TODAY).verdict == "match"
    broken = compare(plain, Answer(200, packed, b"?"), NONE, TODAY)
    assert broken == Comparison.not_compared("undecodable")


def test_cut_answers_are_not_compared() -> None:
    """Two beginnings that are equal say nothing about the rest."""
    cut = Answer(200, JSON, b"[1,", truncated=True)
    assert compare(cut, cut, NONE, TODAY) == Comparison.not_compared("too_big")


@given(VALUES)
def test_everything_equals_itself(value: Json) -> None:
    """A value matches itself in any spelling, with rules and without."""
    assert of(value, value).verdict is Verdict.MATCH
    assert of(value, value, PHP).verdict is Verdict.MATCH


@given(VALUES, VALUES)
def test_verdict_does_not_depend_on_the_side(old: Json, new: Json) -> None:
    """Swapping the sides keeps the verdict, and whatever can be paired in one way only."""
    for rules in (NONE, PHP):
        one, other = of(old, new, rules), of(new, old, rules)
        assert one.verdict is other.verdict
        if "[" not in json.dumps([old, new])[1:]:
            assert {path for _, path in one.places} == {path for _, path in other.places}


@given(VALUES, VALUES)
def test_match_is_exactly_equality(old: Json, new: Json) -> None:
    """Without rules, two values match if and only if they are written the same, members sorted."""
    written = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (of(old, new).verdict is Verdict.MATCH) == written


@given(VALUES, VALUES, st.integers(0, 30))
def test_budget_never_says_equal(old: Json, new: Json, nodes: int) -> None:
    """With any budget the verdict is the true one, or there is none."""
    bodies = json.dumps(old).encode(), json.dumps(new).encode()
    limited = compare_json(*bodies, PHP, TODAY, Budget(nodes))
    full = compare_json(*bodies, PHP, TODAY)
    assert limited.verdict in (full.verdict, Verdict.NOT_COMPARED)


@given(st.dictionaries(st.text(max_size=3), VALUES), st.randoms())
def test_order_of_members_says_nothing(value: dict[str, Json], random: object) -> None:
    """An object is the same whatever the order of its members."""
    names = list(value)
    random.shuffle(names)  # type: ignore[attr-defined] # hypothesis gives a random.Random
    assert of(value, {name: value[name] for name in names}).verdict is Verdict.MATCH


@given(st.binary(max_size=60), st.binary(max_size=60))
@settings(max_examples=200)
def test_any_bytes_are_compared_without_a_crash(old: bytes, new: bytes) -> None:
    """Whatever arrives ends in a verdict, and unequal rubbish is never equal."""
    found = compare_json(old, new, PHP, TODAY)
    assert found.verdict in Verdict
    if found.verdict is Verdict.MISMATCH:
        assert all(each.old is not ABSENT or each.new is not ABSENT for each in found.differences)


def test_difference_that_an_ended_rule_no_longer_rules_out_is_counted_for_it() -> None:
    """So that whoever looks at the rule sees what its end has let through."""
    rules = CompareRules.build(ignore=[{"path": "$.a", "until": "2025-12-31"}])
    found = compare_json(b'{"a":1,"b":1}', b'{"a":2,"b":2}', rules, date(2026, 1, 1))
    assert found.verdict is Verdict.MISMATCH
    assert found.fired == (("expired:$.a", 1),)
