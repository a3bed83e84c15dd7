"""Between the worker and its store: batches, retries while the store is gone, bounds on both."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final

from shadow_compare.capture import Capture
from shadow_compare.config import ShadowSettings
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.record import Record

_PART: Final = 8
"""Of the bytes that may be kept, the part that may come before it is looked at again."""


class Keeper:
    """Holds records until they are stored; when it cannot hold more, they are only counted."""

    def __init__(
        self,
        settings: ShadowSettings,
        store: ComparisonStore,
        failed: Callable[[str, Capture | None, Exception | None], None],
        wall: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._store = store
        self._failed = failed
        self._wall = wall
        self._pending: list[Record] = []
        self._weight = 0
        self._attempts = 0
        self._pruned = wall()
        self._since_pruned = 0

    def add(self, record: Record, weight: int = 0) -> None:
        """Take a record; `weight` is how many bytes its sample holds on to."""
        if len(self._pending) >= self._settings.pending_max:
            self._failed("not_stored", None, None)
            return
        if self._weight + weight > self._settings.pending_bytes_max:
            self._failed("sample_not_stored", None, None)
            record = replace(record, finding=None)
        else:
            self._weight += weight
        self._pending.append(record)

    async def run(self) -> None:
        """Store what there is, again and again."""
        while True:
            await asyncio.sleep(self._settings.store_interval)
            await self.flush()
            await self._prune()

    async def flush(self) -> None:
        """Store what there is now; what cannot be stored waits for another attempt."""
        batch, weight = self._pending, self._weight
        if not batch:
            return
        self._pending, self._weight = [], 0
        try:
            await _to_its_end(self._store.record(batch), lambda: self._put_back(batch, weight))
            self._attempts = 0
            self._since_pruned += weight
        except Exception as error:  # not only StoreError: one record alone may be what fails
            self._failed("store_error", None, error)
            self._put_back(batch, weight)

    def _put_back(self, batch: list[Record], weight: int) -> None:
        self._attempts += 1
        if self._attempts >= self._settings.store_attempts:
            self._attempts = 0  # perhaps it is this batch that the store cannot take
            self._failed("not_stored", None, None)
            return
        self._pending = [*batch, *self._pending][: self._settings.pending_max]
        self._weight += weight

    async def _prune(self) -> None:
        """Throw away now and then, and earlier when much has come: sizes must hold in between."""
        now, settings = self._wall(), self._settings
        much = settings.retention.bytes // _PART
        if now - self._pruned < settings.prune_interval and self._since_pruned < much:
            return
        self._pruned, self._since_pruned = now, 0
        try:
            await _to_its_end(self._store.prune(now, self._settings.retention), lambda: None)
        except Exception as error:
            self._failed("store_error", None, error)


async def _to_its_end(work: Coroutine[Any, Any, None], failed: Callable[[], None]) -> None:
    """Await a transaction, also when we are cancelled meanwhile; then `failed` hears if it did.

    One that is broken off keeps SQLite locked until its connection is gone, and the last flush of a
    worker that ends would wait for it in vain.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,))
        if task.exception() is not None:
            failed()
        raise
