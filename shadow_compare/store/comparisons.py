"""What is kept of comparisons: counts of everything, and a few samples of each signature."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from shadow_compare.store.counting import count
from shadow_compare.store.database import Database
from shadow_compare.store.evidence import EvidenceStore
from shadow_compare.store.pruning import Retention, prune
from shadow_compare.store.record import Record
from shadow_compare.store.signatures import by_signature, keep


class ComparisonStore:
    """Writes comparisons; `chance` gives numbers from 0 to below 1."""

    def __init__(self, database: Database, chance: Callable[[], float] = random.random) -> None:
        self._database = database
        self._chance = chance
        self.evidence = EvidenceStore(database)

    async def record(self, records: Sequence[Record]) -> None:
        """Keep a batch, all of it or nothing; raises StoreError."""
        async with self._database.begin() as connection:
            before = await count(connection, records)
            for group in by_signature(records):
                await keep(connection, group, before[group[0].route], self._chance)

    async def prune(self, now: float, retention: Retention) -> None:
        """Throw away what is older, or more, than is to be kept; raises StoreError."""
        await prune(self._database, now, retention)
        await self.evidence.prune(now)
