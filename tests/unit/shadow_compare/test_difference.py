from __future__ import annotations

from shadow_compare.difference import ABSENT, Missing, ValueChanged
from shadow_compare.paths import STATUS


def test_absence_is_not_null() -> None:
    """A missing member has no new value, which is something else than null."""
    assert Missing(("$", "a"), None).new is ABSENT
    assert Missing(("$", "a"), None).old is None


def test_place_of_a_status_is_its_values() -> None:
    """Two routes that turn 200 into 500 and 404 have different troubles."""
    assert ValueChanged(STATUS, 200, 500).place == "status 200 -> 500"
    assert ValueChanged(("$", "rows", 3), 1, 2).place == "$.rows[*]"
