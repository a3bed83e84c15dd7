from __future__ import annotations

from collections import Counter

from proxy.control.customers import Customers
from proxy.outcome import PairEvent, PairKind


def test_customers_are_counted_and_not_kept() -> None:
    """Each once a minute, and each once in all; the place is that of the last."""
    counted = Counter[str]()
    customers = Customers(counted)
    for at, who in ((0.0, 1), (1.0, 1), (2.0, 2), (61.0, 1), (62.0, 3)):
        pair = PairEvent("a", PairKind.CRITICAL, 0.0, who, "GET", "/a", "r", 200, 200, f"$.{who}")
        customers.count(pair, at)
    assert counted == {"customers": 4, "new_customers": 3}
    assert customers.place == "$.3"
