import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from datetime import UTC

import pytest

from migration_tools.data_migrator import one_ahead, transform
from migration_tools.mapping import SUBSCRIPTIONS, RawRow, row_converter
from migration_tools.writer import Rejected


def test_transform_parts_good_rows_from_bad() -> None:
    """Rows that convert are loaded; the others are told by key, column and reason."""
    good = ("1", "17", "2", "active", "2024-03-01 10:00:00", "2026-12-01")
    bad = ("2", "17", "2", "", "2024-03-01 10:00:00", "2026-12-01")
    rows, rejected = transform(row_converter(SUBSCRIPTIONS, UTC), [good, bad, good])
    assert [row[0] for row in rows] == [1, 1]
    assert rejected == [Rejected(2, "status", "is none of active, cancelled, past_due")]


class Batches:
    """Hands out batches and remembers how many were asked for."""

    def __init__(self, *batches: Sequence[RawRow], error: Exception | None = None) -> None:
        self.asked, self._batches, self._error = 0, batches, error

    async def read(self) -> AsyncIterator[Sequence[RawRow]]:
        """Yield the batches, then raise the error if there is one."""
        for batch in self._batches:
            self.asked += 1
            yield batch
        if self._error is not None:
            raise self._error


async def test_next_batch_is_read_meanwhile() -> None:
    """While the caller works on one batch the next is already being read, and no more."""
    batches = Batches([("1",)], [("2",)], [("3",)])
    seen = []
    async for batch in one_ahead(batches.read()):
        await asyncio.sleep(0)
        seen.append((batch, batches.asked))
    assert seen == [([("1",)], 2), ([("2",)], 3), ([("3",)], 3)]


async def test_error_of_the_source_arrives() -> None:
    """An error while reading ahead reaches the caller after the batches before it."""
    batches = Batches([("1",)], error=RuntimeError("gone"))
    ahead = one_ahead(batches.read())
    assert await anext(ahead) == [("1",)]
    with pytest.raises(RuntimeError, match="gone"):
        await anext(ahead)


async def test_leaving_early_leaves_nothing_behind() -> None:
    """A caller that stops in the middle ends the reading ahead as well."""
    batches = Batches([("1",)], error=RuntimeError("never heard of"))
    async with aclosing(one_ahead(batches.read())) as ahead:
        assert await anext(ahead) == [("1",)]
    assert len(asyncio.all_tasks()) == 1
