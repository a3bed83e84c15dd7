"""Between what a worker learns and the store in which the workers' knowledge adds up."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from shadow_compare.evidence import Evidence
from shadow_compare.store.evidence import EvidenceStore


class EvidenceKeeper:
    """Stores counts now and then; what cannot be stored waits, summed up, for the next time."""

    def __init__(
        self,
        evidence: Evidence,
        store: EvidenceStore,
        failed: Callable[[Exception], None],
        wall: Callable[[], float],
    ) -> None:
        self._evidence = evidence
        self._store = store
        self._failed = failed
        self._wall = wall

    async def run(self, interval: float) -> None:
        """Store every so many seconds, for ever."""
        while True:
            await asyncio.sleep(interval)
            await self.flush()

    async def flush(self) -> None:
        """Store what there is."""
        counts = self._evidence.take()
        try:
            await self._store.add(counts, self._wall())
        except asyncio.CancelledError:
            self._evidence.put_back(counts)
            raise
        except Exception as error:
            self._evidence.put_back(counts)
            self._failed(error)
