from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shadow_compare.keeping import Keeper
from shadow_compare.store.comparisons import ComparisonStore
from shadow_compare.store.errors import StoreError
from shadow_compare.store.pruning import Retention
from shadow_compare.store.record import Record
from tests.support_shadow import quick_settings


class FlakyStore(ComparisonStore):
    """A store that fails as often as told, and remembers what it was given."""

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.kept: list[str] = []
        self.pruned: list[float] = []
        self.gate: asyncio.Event | None = None

    async def record(self, records: Sequence[Record]) -> None:
        """Keep the routes of the records, or fail; when there is a gate, once it is open."""
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            self.failures -= 1
            raise StoreError("gone")
        self.kept += [record.route for record in records]

    async def prune(self, now: float, retention: Retention) -> None:  # noqa: ARG002 - the interface
        """Remember when."""
        self.pruned.append(now)


class Bench:
    """A keeper over a flaky store, with the reasons of its failures."""

    def __init__(self, failures: int = 0, **settings: object) -> None:
        self.store = FlakyStore(failures)
        self.failed: list[str] = []
        self.now = 0.0
        self.keeper = Keeper(
            quick_settings(**settings),
            self.store,
            lambda reason, _capture, _error: self.failed.append(reason),
            lambda: self.now,
        )

    def add(self, *routes: str) -> None:
        """Add a record of each route."""
        for route in routes:
            self.keeper.add(Record(route, 0.0, 1, "match"))


async def test_records_are_stored_in_a_batch_once() -> None:
    """A flush stores what was added, and the next one does not store it again."""
    bench = Bench()
    bench.add("a", "b")
    await bench.keeper.flush()
    await bench.keeper.flush()
    assert bench.store.kept == ["a", "b"]


async def test_failed_batch_is_stored_later_in_order() -> None:
    """What could not be stored waits, in front of what came after."""
    bench = Bench(failures=2)
    bench.add("a")
    await bench.keeper.flush()
    bench.add("b")
    await bench.keeper.flush()
    await bench.keeper.flush()
    assert bench.store.kept == ["a", "b"]
    assert bench.failed == ["store_error", "store_error"]


@pytest.mark.parametrize("failures", [0, 1])
async def test_a_flush_that_is_cancelled_comes_to_its_end(failures: int) -> None:
    """Else it would keep the store locked for the next one; what it could not store waits."""
    bench = Bench(failures)
    bench.store.gate = asyncio.Event()
    bench.add("a")
    flush = asyncio.create_task(bench.keeper.flush())
    await asyncio.sleep(0.001)
    flush.cancel()
    await asyncio.sleep(0.001)
    assert not flush.done()
    bench.store.gate.set()
    with pytest.raises(asyncio.CancelledError):
        await flush
    assert bench.store.kept == (["a"] if not failures else [])
    await bench.keeper.flush()
    assert bench.store.kept == ["a"]


async def test_records_beyond_the_bound_are_only_counted() -> None:
    """While the store is gone memory stays bounded, and every loss is told."""
    bench = Bench(failures=1, pending_max=2)
    bench.add("a", "b", "c")
    await bench.keeper.flush()
    bench.add("d")
    await bench.keeper.flush()
    assert bench.store.kept == ["a", "b"]
    assert bench.failed == ["not_stored", "store_error", "not_stored"]


async def test_heavy_samples_are_left_out_first() -> None:
    """Beyond the bound in bytes a record is kept without its sample."""
    bench = Bench(pending_bytes_max=100)
    bench.keeper.add(Record("a", 0.0, 1, "mismatch"), weight=90)
    bench.keeper.add(Record("b", 0.0, 1, "mismatch"), weight=11)
    await bench.keeper.flush()
    assert bench.store.kept == ["a", "b"]
    assert bench.failed == ["sample_not_stored"]


async def test_batch_that_never_succeeds_is_given_up() -> None:
    """After so many attempts it may be the batch that is wrong; the next ones get their turn."""
    bench = Bench(failures=3, store_attempts=3)
    bench.add("poison")
    for _ in range(3):
        await bench.keeper.flush()
    bench.add("fine")
    await bench.keeper.flush()
    assert bench.store.kept == ["fine"]
    assert bench.failed == ["store_error"] * 3 + ["not_stored"]


async def test_old_things_are_thrown_away_now_and_then() -> None:
    """Pruning happens once per interval."""
    bench = Bench(prune_interval=10)
    for bench.now in (5.0, 11.0, 12.0, 30.0):
        await bench.keeper._prune()
    assert bench.store.pruned == [11.0, 30.0]


async def test_much_at_once_is_looked_at_before_its_time() -> None:
    """A side that differs in ever new ways cannot outrun the limit in bytes."""
    bench = Bench(prune_interval=1000, retention=Retention(bytes=800))
    for weight in (60, 60, 0):
        bench.keeper.add(Record("a", 0.0, 1, "mismatch"), weight=weight)
        await bench.keeper.flush()
        await bench.keeper._prune()
    assert bench.store.pruned == [0.0]
