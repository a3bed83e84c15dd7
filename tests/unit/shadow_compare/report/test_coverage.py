from __future__ import annotations

from shadow_compare.report.coverage import Coverage, whole


def filled() -> Coverage:
    """Give the coverage of a route with some of everything."""
    found = Coverage(route="plans")
    found.count_in("GET", "2xx", "match", "", 6)
    found.count_in("GET", "2xx", "ignored", "race", 1)
    found.count_in("GET", "5xx", "mismatch", "", 1)
    found.count_in("HEAD", "2xx", "not_compared", "timeout", 2)
    return found


def test_parts_add_up_to_the_whole() -> None:
    """What is counted in a part is counted in the whole."""
    found = filled()
    assert (found.compared, found.eligible) == (8, 10)
    assert sum(cell.eligible for cell in found.cells.values()) == found.eligible
    assert found.to_plain()["cells"][2] == {
        "method": "HEAD", "status": "2xx", "match": 0, "ignored": 0, "mismatch": 0,
        "not_compared": {"timeout": 2}, "ignored_by_reason": {}, "compared": 0, "eligible": 2,
        "match_rate": None, "mismatch_rate": None, "mismatch_rate_low": None,
        "mismatch_rate_high": None,
    }  # fmt: skip


def test_routes_add_up() -> None:
    """Reasons of several routes are added by name."""
    found = whole([filled(), filled()])
    assert (found.compared, found.mismatch) == (16, 2)
    assert found.not_compared == {"timeout": 4}
    assert found.ignored_by_reason == {"race": 2}
    assert whole([]).mismatch_rate is None
