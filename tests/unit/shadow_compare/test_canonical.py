from __future__ import annotations

from collections.abc import Hashable
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow_compare.budget import Budget
from shadow_compare.canonical import Canonicalizer
from shadow_compare.json_value import Json, parse_json
from shadow_compare.normalize import NotComparableError
from shadow_compare.paths import BODY
from shadow_compare.rules import CompareRules

TODAY = date(2026, 3, 1)
NONE = CompareRules()
NUMBERS = st.sampled_from(
    ["0", "-0", "0.0", "-0.0", "1", "1.0", "1e0", "9.9", "9.90", "99e-1", "1e-5", "0.00001", "1E-5",
     "1e16", "1E+16", "10000000000000000.0", "1e400", "18446744073709551616"]
)  # fmt: skip
VALUES = st.recursive(
    NUMBERS | st.sampled_from(["true", "false", "null", '""', '"1"', '"\\ud800"', '"é"']),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda each: f"[{','.join(each)}]")
        | st.dictionaries(st.sampled_from("ab"), inner, max_size=2).map(
            lambda each: "{" + ",".join(f'"{name}":{item}' for name, item in each.items()) + "}"
        )
    ),
    max_leaves=5,
)


def forms(*values: Json, rules: CompareRules = NONE) -> list[Hashable]:
    """Give the forms of values that are the elements of one array."""
    canonical = Canonicalizer(rules, TODAY, Budget())
    return canonical.both(values, [], BODY)[0]


@given(VALUES, VALUES)
@settings(max_examples=300)
def test_both_ways_to_a_form_agree(one: str, other: str) -> None:
    """The written form tells apart exactly what the form that looks at each value tells apart."""
    values = [parse_json(one.encode()), parse_json(other.encode())]
    slowly = Canonicalizer(NONE, TODAY, Budget()).values(values, BODY)
    written = forms(*values)
    assert (written[0] == written[1]) == (slowly[0] == slowly[1])


def test_order_of_members_is_no_part_of_a_form() -> None:
    """Objects have the form of their members, whichever way it is taken."""
    for rules in (NONE, CompareRules.build(equivalences=["int_bool"])):
        one, other = forms({"a": 1, "b": 2}, {"b": 2, "a": 1}, rules=rules)
        assert one == other


def test_ignored_members_have_one_form() -> None:
    """What is ruled out under an element makes no difference to its form; the rest does."""
    rules = CompareRules.build(ignore=[{"path": "$[*].token"}, {"path": "$.elsewhere"}])
    one, other, third = forms(
        {"n": 1, "token": "x"}, {"n": 1, "token": "y"}, {"n": 2, "token": "x"}, rules=rules
    )
    assert one == other != third


def test_rules_for_other_places_change_no_form() -> None:
    """Rules that cannot speak about an element leave it to the quick way."""
    rules = CompareRules.build(
        ignore=[{"path": "$.elsewhere[*].n"}],
        equivalences=[{"name": "int_bool", "at": ["$.elsewhere"]}],
    )
    canonical = Canonicalizer(rules, TODAY, Budget())
    assert canonical.both([1, True], [], ("$", "data"))[0] == ["1", "true"]
    one, other = canonical.both([1, True], [], ("$", "elsewhere"))[0]
    assert one == other


def test_array_in_a_new_order_is_paired_by_its_texts() -> None:
    """Rules need not be asked where every element has one that is written alike."""
    rules = CompareRules.build(equivalences=["int_bool"], ignore=[{"path": "$[*].token"}])
    canonical = Canonicalizer(rules, TODAY, Budget())
    assert canonical.both([1, {"a": 2}], [{"a": 2}, 1], BODY) == (
        ["1", '{"a":2}'],
        ['{"a":2}', "1"],
    )
    one, other = canonical.both([1, {"a": 2}], [{"a": 2}, True], BODY)
    assert one == other[::-1]


def test_decimals_have_the_form_of_the_number_that_was_written() -> None:
    """A side that was read exactly meets one that was read quickly."""
    one, other, third = forms(9.9, Decimal("9.9"), Decimal("9.90"))
    assert one == other != third


def test_forms_are_within_the_budget() -> None:
    """Each way spends what it looks at."""
    rows = [{"a": 1, "b": [1, 2, 3]} for _ in range(100)]
    for rules in (NONE, CompareRules.build(equivalences=["int_bool"])):
        with pytest.raises(NotComparableError, match="too_big"):
            Canonicalizer(rules, TODAY, Budget(50)).both(rows, rows, BODY)
