from __future__ import annotations

from datetime import date
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from shadow_compare.budget import Budget
from shadow_compare.canonical import Canonicalizer
from shadow_compare.equivalence import EQUIVALENCES, find_equivalences
from shadow_compare.json_value import Json
from shadow_compare.paths import BODY
from shadow_compare.rules import NAMES, CompareRules

BERLIN = ZoneInfo("Europe/Berlin")
UTC = ZoneInfo("UTC")

SAME: list[tuple[str, Json, Json]] = [
    ("number_as_string", "19.99", 19.99),
    ("number_as_string", "9.90", 9.9),
    ("number_as_string", "29.00", 29),
    ("number_as_string", "10", Decimal("10.0")),
    ("number_as_string", "-0.5", -0.5),
    ("number_as_string", "1e3", 1000),
    ("trailing_zero", 10, 10.0),
    ("trailing_zero", Decimal("9.90"), 9.9),
    ("int_bool", 1, True),
    ("int_bool", 0, False),
    ("empty_map_list", [], {}),
    ("null_empty", None, ""),
    ("zero_date", "0000-00-00", None),
    ("zero_date", "0000-00-00 00:00:00", None),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:00+00:00"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:00Z"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T11:00:00+01:00"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:00.000Z"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:00"),
    ("escaping", r'{"url":"http:\/\/a\/b"}', '{"url":"http://a/b"}'),
    ("escaping", r"caf\u00e9", "caf\u00e9"),
    ("escaping", r"caf\u00E9", r"caf\u00e9"),
    ("escaping", r"\ud83d\ude00 \\ \" \n", '\ud83d\ude00 \\\\ \\" \\n'),
    ("header_case", "attachment; filename=A.pdf", "Attachment; Filename=a.pdf"),
]

OTHER: list[tuple[str, Json, Json]] = [
    ("number_as_string", "19.99", 19.990000000000002),
    ("number_as_string", "0.1", Decimal("0.10000000000000000001")),
    ("number_as_string", "007", 7),
    ("number_as_string", " 7", 7),
    ("number_as_string", "1\u0667", 17),
    ("number_as_string", "7\n", 7),
    ("number_as_string", "", 0),
    ("number_as_string", "1", True),
    ("number_as_string", "9" * 100, 1),
    ("number_as_string", "1", "1.0"),
    ("trailing_zero", 10, 11.0),
    ("trailing_zero", "10", "10.0"),
    ("trailing_zero", 1, True),
    ("int_bool", 2, True),
    ("int_bool", 1.0, True),
    ("int_bool", "1", True),
    ("empty_map_list", [], {"a": 1}),
    ("empty_map_list", [1], {}),
    ("empty_map_list", [], None),
    ("null_empty", None, " "),
    ("null_empty", None, []),
    ("zero_date", "0000-00-01", None),
    ("zero_date", "0000-00-00", ""),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:01Z"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01T10:00:00.5Z"),
    ("php_datetime", "2024-03-01 10:00:00", "2024-03-01 10:00:00"),
    ("php_datetime", "2024-13-01 10:00:00", "2024-13-01T10:00:00Z"),
    ("php_datetime", "2024-03-01", "2024-03-01T00:00:00Z"),
    ("php_datetime", "0001-01-01 00:00:00", "0001-01-01T00:00:00+14:00"),
    ("php_datetime", 5, "2024-03-01T10:00:00Z"),
    ("escaping", r"a\/b", r"a\\/b"),
    ("escaping", r"\u0022", '"'),
    ("escaping", r"\u005c", "\\"),
    ("escaping", r"\n", "\n"),
    ("escaping", "a", "b"),
    ("float_precision", 10.0, 10.01),
    ("float_precision", 1, True),
    ("float_precision", "0.3", "0.30000000000000004"),
    ("float_precision", Decimal("1e400"), Decimal("1.0000000000000001e400")),
    ("float_precision", Decimal("1e999999999"), 1),
    ("float_precision", 0, Decimal("1e-300")),
    ("header_case", "a", "b"),
]


@pytest.mark.parametrize(("name", "old", "new"), SAME)
def test_two_spellings_of_one_thing(name: str, old: Json, new: Json) -> None:
    """Each equivalence holds in both directions, and gives both one canonical form."""
    equivalence = EQUIVALENCES[name]
    assert equivalence.same(old, new, UTC)
    assert equivalence.same(new, old, UTC)
    place = ("headers", "location") if name == "header_case" else BODY
    rules = CompareRules.build(equivalences=[name])
    one, other = Canonicalizer(rules, date(2026, 1, 1), Budget()).values([old, new], place)
    assert one == other


@pytest.mark.parametrize(("name", "old", "new"), OTHER)
def test_what_only_looks_alike(name: str, old: Json, new: Json) -> None:
    """No equivalence covers more than its name says."""
    assert not EQUIVALENCES[name].same(old, new, UTC)
    assert not EQUIVALENCES[name].same(new, old, UTC)


@pytest.mark.parametrize("name", EQUIVALENCES)
@pytest.mark.parametrize("value", [None, True, 1, 1.5, "x", [1], {"a": 1}])
def test_no_equivalence_ties_unrelated_values(name: str, value: Json) -> None:
    """Nothing is the same as an unrelated text."""
    assert not EQUIVALENCES[name].same(value, "something else", UTC)


def test_zoneless_times_are_meant_in_the_declared_zone() -> None:
    """Ten o'clock in Berlin is nine o'clock UTC in winter and eight in summer."""
    same = EQUIVALENCES["php_datetime"].same
    assert same("2024-01-15 10:00:00", "2024-01-15T09:00:00Z", BERLIN)
    assert same("2024-07-15 10:00:00", "2024-07-15T08:00:00Z", BERLIN)
    assert not same("2024-07-15 10:00:00", "2024-07-15T09:00:00Z", BERLIN)


def test_hour_that_comes_twice_stands_for_both() -> None:
    """When the clocks go back, a zoneless time may mean either of two instants."""
    same = EQUIVALENCES["php_datetime"].same
    assert same("2024-10-27 02:30:00", "2024-10-27T00:30:00Z", BERLIN)
    assert same("2024-10-27 02:30:00", "2024-10-27T01:30:00Z", BERLIN)
    assert not same("2024-10-27 02:30:00", "2024-10-27T02:30:00Z", BERLIN)


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    """A misspelt name is told together with what there is."""
    with pytest.raises(ValueError, match=r"no equivalence `int_boolean`.*int_bool"):
        find_equivalences(["int_boolean"])


@pytest.mark.parametrize(
    ("old", "new"),
    [(0.1 + 0.2, 0.3), (Decimal("0.30000000000000004"), 0.3), (1e300, 1.0000000000000002e300)],
)
def test_sums_of_doubles_differ_in_their_last_places(old: Json, new: Json) -> None:
    """A few units in the last place count as the same, on both sides of the larger one."""
    same = EQUIVALENCES["float_precision"].same
    assert same(old, new, UTC)
    assert same(new, old, UTC)


def test_money_rounded_the_other_way_is_a_difference() -> None:
    """Half-up against half-even is a cent, under every equivalence there is."""
    rules = CompareRules.build(equivalences=list(EQUIVALENCES))
    for half_up, half_even in [(Decimal("10.01"), Decimal("10.00")), ("0.13", "0.12"), ("2.5", 2)]:
        assert rules.equivalent(half_up, half_even, BODY) is None
    assert rules.equivalent("10.00", Decimal("10.0"), BODY) == "number_as_string"


def test_rules_file_knows_the_same_names() -> None:
    """The names that routing_rules.yaml admits are exactly those that have a meaning."""
    from proxy.routing import compare_rules

    assert compare_rules.EQUIVALENCES == NAMES
