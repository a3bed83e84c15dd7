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
    assert rules.key_of(("$", "data")) == "id"
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
    ],
)
def test_wrong_values_are_refused(wrong: dict[str, object]) -> None:
    """Every value that cannot be compiled is refused when the rules are built."""
    with pytest.raises(ValueError, match=r"."):
        CompareRules.build(**wrong)  # type: ignore[arg-type] # wrong on purpose
