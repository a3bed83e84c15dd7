from __future__ import annotations

import pytest

from proxy.rollout.critical import CriticalDifferences


def test_customers_count_and_not_requests() -> None:
    """One customer who looks at a wrong amount ten times is one."""
    critical = CriticalDifferences()
    for _ in range(10):
        critical.add(7, "$.data[*].price")
    assert (critical.customers, critical.n) == (1, 10)
    for identity in (8, 9, 10):
        critical.add(identity, "$.currency")
    assert critical.customers == 3
    assert critical.place == "$.data[*].price"


def test_it_outlives_a_restart() -> None:
    """Who was answered wrongly before does not count again after it."""
    critical, again = CriticalDifferences(), CriticalDifferences()
    critical.add(7, "$.price")
    again.restore(critical.kept())
    again.add(7, "$.price")
    assert (again.customers, again.n) == (1, 2)


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"identities": [1, 1], "n": 2, "place": ""},
        {"identities": [1, 2, 3, 4], "n": 9, "place": ""},
        {"identities": [1], "n": 0, "place": ""},
        {"identities": ["x"], "n": 1, "place": ""},
        {"identities": [1], "n": 1, "place": None},
        {"identities": [1], "n": "1", "place": ""},
    ],
)
def test_what_cannot_be_is_not_restored(damaged: dict[str, object]) -> None:
    """Damaged state is refused."""
    critical = CriticalDifferences()
    with pytest.raises((KeyError, TypeError, ValueError)):
        critical.restore(damaged)
    assert critical.customers == 0
