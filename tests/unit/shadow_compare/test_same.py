from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Final

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shadow_compare.budget import Budget
from shadow_compare.compare import compare_json
from shadow_compare.json_value import Json
from shadow_compare.normalize import NotComparableError
from shadow_compare.rules import CompareRules
from shadow_compare.same import is_same
from shadow_compare.structure import Walk

TODAY: Final = date(2026, 3, 1)
RULES: Final = CompareRules.build(
    critical=["$.a"],
    arrays=[("$", "id"), ("$.a", "id")],
    ignore=[{"path": "$[*].b"}, {"path": "$.b"}],
    equivalences=["number_as_string", "trailing_zero", "int_bool", "null_empty", "empty_map_list"],
    tolerances=[{"path": "$.a", "within": "1"}],
)
SCALARS: Final = st.sampled_from(
    [None, True, False, 0, 1, 2, 0.0, -0.0, 1.0, 1.5, 1e16, 10**16, "", "1", "a"]
)
VALUES: Final = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["id", "a", "b"]), inner, max_size=3)
    ),
    max_leaves=12,
)


def turned(value: Json) -> Json:
    """Give the same with the members of every object in the opposite order."""
    if isinstance(value, dict):
        return {name: turned(value[name]) for name in reversed(value)}
    return list(map(turned, value)) if isinstance(value, list) else value


@given(VALUES, VALUES)
@settings(max_examples=300)
def test_two_are_the_same_when_they_are_written_the_same(old: Json, new: Json) -> None:
    """But for the order of members: with them sorted the texts are equal, or they are not."""
    written = [orjson.dumps(each, option=orjson.OPT_SORT_KEYS) for each in (old, new)]
    assert is_same(old, new, Budget()) == (written[0] == written[1])
    assert is_same(old, turned(old), Budget())


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        (Decimal("9.90"), Decimal("9.90"), True),
        (Decimal("9.90"), Decimal("9.9"), False),
        ([Decimal("-0")], [0], False),
        ({"a": None}, {"b": None}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        (object, object, False),
    ],
)
def test_what_is_not_sure_is_not_the_same(old: Json, new: Json, same: bool) -> None:
    """Decimals by their digits; null is not nothing; and what is no JSON is never known."""
    assert is_same(old, new, Budget()) is same


def test_nesting_is_followed_to_its_limit() -> None:
    """Beyond it the walk says what is the matter."""
    deep: Json = 1
    for _ in range(5):
        deep = [{"a": deep}]
    assert is_same(deep, deep, Budget(), depth=10)
    assert not is_same(deep, deep, Budget(), depth=9)


def test_it_spends_what_it_looks_at() -> None:
    """Four members for each node: no rule is asked of them."""
    rows = [{"a": 1, "b": 2, "c": 3, "d": 4}] * 100
    budget = Budget(1000)
    assert is_same(rows, rows, budget)
    assert budget.nodes == 1000 - 26 - 200
    with pytest.raises(NotComparableError, match="too_big"):
        is_same(rows, rows, Budget(100))


@pytest.mark.source_only
@given(VALUES, VALUES)
@settings(max_examples=300)
def test_what_is_passed_over_changes_no_comparison(old: Json, new: Json) -> None:
    """Verdict, differences and counts of rules are those of a walk that looks at everything."""
    for one, other in ((old, new), (old, turned(old)), ([old, new], [new, old]), ([old], [new])):
        texts = orjson.dumps(one), orjson.dumps(other) + b" "
        quick = compare_json(*texts, RULES, TODAY)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Walk, "_is_alike", lambda *_: False)
            assert compare_json(*texts, RULES, TODAY) == quick
