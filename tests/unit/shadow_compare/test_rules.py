from __future__ import annotations

from datetime import date

import pytest

from shadow_compare.rules import CompareRules

TODAY = date(2026, 3, 1)


def test_ignore_rule_covers_its_subtree() -> None:
    """A rule rules out its path and what is beneath."""
    rules = CompareRules.build(ignore=[{"path": "$.meta", "reason": "clock", "owner": "billing"}])
    found = rules.ignored_by(("$", "meta", "generated_at"), TODAY)
    assert found is not None
    assert (found.path, found.reason, found.owner) == ("$.meta", "clock", "billing")
    assert rules.ignored_by(("$", "data"), TODAY) is None


@pytest.mark.parametrize(
    ("until", "applies"),
    [
        ("2026-03-02", True),
        ("2026-03-01", True),
        ("2026-02-28", False),
        (date(2026, 2, 28), False),
        (None, True),
    ],
)
def test_expired_rule_stops_applying(until: date | str | None, applies: bool) -> None:
    """A rule holds up to and including its last day."""
    rules = CompareRules.build(ignore=[{"path": "$.a", "until": until}])
    assert (rules.ignored_by(("$", "a"), TODAY) is not None) is applies


def test_critical_paths_and_keys_are_found() -> None:
    """Critical paths cover subtrees, the key of an array only itself."""
    rules = CompareRules.build(critical=["$.data[*].price"], arrays=[("$.data", "id")])
    assert rules.is_critical(("$", "data", 7, "price"))
    assert not rules.is_critical(("$", "data", 7, "name"))
    assert rules.critical_at(("$", "data", 7, "price")) == "critical:$.data[*].price"
    assert rules.critical_at(("$", "data", 7, "name")) == ""
    assert rules.key_of(("$", "data")) == ("id", "array:$.data")
    assert rules.key_of(("$", "data", 7)) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"critical": ["price"]},
        {"arrays": [("data", "id")]},
        {"ignore": [{"path": "x"}]},
        {"ignore": [{"path": "$.x", "until": "soon"}]},
        {"equivalences": ["nothing"]},
        {"zone": "Mars/Olympus"},
        {"zone": "../etc"},
        {"equivalences": [{"name": "int_bool", "at": ["price"]}]},
        {"equivalences": [{"name": "int_bool", "units": 3}]},
        {"tolerances": [{"path": "$.a"}]},
        {"tolerances": [{"path": "$.a", "within": "much"}]},
        {"tolerances": [{"path": "$.a", "within": -1}]},
        {"correspond": [{"path": "id"}]},
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, object]) -> None:
    """Every value that cannot be compiled is refused when the rules are built."""
    with pytest.raises(ValueError, match=r"."):
        CompareRules.build(**wrong)  # type: ignore[arg-type] # wrong on purpose


def test_equivalence_holds_where_it_is_declared() -> None:
    """Declared for some places, it says nothing of the others."""
    rules = CompareRules.build(
        equivalences=[{"name": "number_as_string", "at": ["$.data[*].price"]}]
    )
    assert rules.equivalent("9.90", 9.9, ("$", "data", 3, "price")) == "number_as_string"
    assert rules.equivalent("9.90", 9.9, ("$", "data", 3, "weight")) is None
    assert rules.representative("9.90", ("$", "data", 3, "weight")) == "9.90"


def test_case_matters_but_in_headers() -> None:
    """`header_case` is about headers only, wherever it is declared."""
    rules = CompareRules.build(equivalences=["header_case"])
    assert rules.equivalent("No-Cache", "no-cache", ("headers", "cache-control")) == "header_case"
    assert rules.equivalent("Alice", "alice", ("$", "name")) is None


def test_float_precision_goes_by_its_units() -> None:
    """PHP with 14 digits and Python with 17 are some dozens of units apart."""
    old, new, place = 0.33333333333333, 1 / 3, ("$", "rate")
    assert CompareRules.build(equivalences=["float_precision"]).equivalent(old, new, place) is None
    wide = CompareRules.build(equivalences=[{"name": "float_precision", "units": 100}])
    assert wide.equivalent(old, new, place) == "float_precision"


def test_printed_by_php_is_ruled_out_where_that_is_declared() -> None:
    """`php_notice` rules out what was printed before the body, under its own name."""
    rule = CompareRules.build(equivalences=["php_notice"]).ignored_by(("notice",), TODAY)
    assert rule is not None
    assert rule.name == "php_notice"
    assert CompareRules().ignored_by(("notice",), TODAY) is None


def test_expired_rule_is_named_where_it_would_have_applied() -> None:
    """A rule that has ended is found by what it no longer rules out."""
    rules = CompareRules.build(ignore=[{"path": "$.a", "until": "2026-02-28"}, {"path": "$.b"}])
    found = rules.expired_at(("$", "a", "at"), TODAY)
    assert found is not None
    assert found.path == "$.a"
    assert rules.expired_at(("$", "b"), TODAY) is None


def test_fingerprint_tells_rules_apart() -> None:
    """Rules that judge alike have one fingerprint; how often noise is measured is no part of it."""
    one = CompareRules.build(equivalences=["int_bool"], noise=0.01)
    assert one.fingerprint == CompareRules.build(equivalences=["int_bool"], noise=0.5).fingerprint
    assert one.fingerprint != CompareRules.build(equivalences=["null_empty"]).fingerprint
