from __future__ import annotations

from shadow_compare.difference import ValueChanged
from shadow_compare.findings import KEPT_MAX, Findings
from shadow_compare.rules import CompareRules

(RULE,) = CompareRules.build(ignore=[{"path": "$.a"}]).ignore


def changed(*path: str | int) -> ValueChanged:
    """Give a difference at this path."""
    return ValueChanged(("$", *path), 1, 2)


def test_first_difference_of_every_place_is_kept() -> None:
    """A thousand rows that differ in one member do not push out the one that differs elsewhere."""
    found = Findings()
    for row in range(1000):
        found.add(changed(row, "price"), critical=False)
    found.add(changed("total"), critical=False)
    found.add(changed("tax"), critical=False)
    assert len(found.differences) == KEPT_MAX
    assert found.differences[0] == changed(0, "price")
    assert found.differences[-2:] == [changed("total"), changed("tax")]
    assert list(found.places) == [
        ("value_changed", "$[*].price"), ("value_changed", "$.total"), ("value_changed", "$.tax"),
    ]  # fmt: skip


def test_more_places_than_are_kept_are_all_named() -> None:
    """Places count for the signature also when their values are no longer kept."""
    found = Findings()
    for number in range(2 * KEPT_MAX):
        found.add(changed(f"member{number}"), critical=False)
    assert len(found.differences) == KEPT_MAX
    assert len(found.places) == 2 * KEPT_MAX


def test_one_critical_difference_makes_all_critical() -> None:
    """Later ones that are not critical take nothing back."""
    found = Findings()
    found.add(changed("a"), critical=True)
    found.add(changed("b"), critical=False)
    assert found.critical


def test_failed_trial_leaves_no_trace() -> None:
    """What fired and what was ignored during a trial is forgotten with it."""
    found = Findings()
    found.fire("int_bool")
    found.ignore(changed("a"), RULE)
    mark = found.mark()
    found.fire("int_bool")
    found.ignore(changed("a"), RULE)
    found.forget(mark)
    assert found.fired == {"int_bool": 1, "ignore:$.a": 1}
    assert found.ignored == [changed("a")]
