from __future__ import annotations

from collections.abc import Sequence

import pytest

from proxy.control.losses import Losses
from shadow_compare.store.errors import StoreError
from shadow_compare.store.record import Record


class Store:
    """Keeps records, unless it is told to fail."""

    def __init__(self) -> None:
        self.kept: list[Record] = []
        self.failure: Exception | None = None

    async def record(self, records: Sequence[Record]) -> None:
        """Keep them all, or none."""
        if self.failure is not None:
            raise self.failure
        self.kept += records

    @property
    def counts(self) -> dict[tuple[str, str, int], int]:
        """How many were kept by route, reason and version."""
        return {(each.route, each.reason, each.version): each.count for each in self.kept}


async def test_what_was_dropped_is_stored_once_as_not_compared() -> None:
    """Whatever the number, in one record for each route, reason and version of the rules."""
    store = Store()
    losses = Losses(store.record, lambda: 120.0)
    losses.add("plans", {"queue_full": 3, "route_rate": 5}, 7)
    losses.add("plans", {"queue_full": 4}, 7)
    losses.add("plans", {"queue_full": 1}, 8)
    await losses.flush()
    await losses.flush()
    assert store.counts == {
        ("plans", "queue_full", 7): 7,
        ("plans", "route_rate", 7): 5,
        ("plans", "queue_full", 8): 1,
    }
    assert {(each.verdict, each.method, each.status, each.at) for each in store.kept} == {
        ("not_compared", "*", 0, 120.0)
    }


@pytest.mark.parametrize("times", [1, 3])
async def test_what_the_store_does_not_take_waits_for_it(times: int) -> None:
    """And is not stored twice."""
    store = Store()
    losses = Losses(store.record, lambda: 0.0)
    store.failure = StoreError("the disk is full")
    for _ in range(times):
        losses.add("plans", {"no_worker": 2}, 1)
        await losses.flush()
    store.failure = None
    await losses.flush()
    await losses.flush()
    assert store.counts == {("plans", "no_worker", 1): 2 * times}
