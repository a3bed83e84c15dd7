import asyncio
from collections.abc import Callable

import pytest
from redis.exceptions import ConnectionError as RedisConnectionError

from modern.infra.cache import ASIDE_SECONDS, PATIENCE_SECONDS, Cache
from modern.infra.cache_store import MemoryStore
from modern.infra.metrics import Metrics
from shadow_compare.dry_run.run import DryRun, inside


class Time:
    """A clock that moves when somebody sleeps; `while_asleep` is what happens meanwhile."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.while_asleep: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    async def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds
        self.while_asleep()


class Source:
    """Where values come from: counts how often it was asked, and answers when it is let."""

    def __init__(self, *, open_at_once: bool = True) -> None:
        self.loads = 0
        self.gate = asyncio.Event()
        if open_at_once:
            self.gate.set()

    async def load(self) -> bytes:
        """Load the value: the number of this load."""
        self.loads += 1
        number = self.loads
        await self.gate.wait()
        return b"%d" % number


class BrokenStore(MemoryStore):
    """A store that cannot be reached."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__(now)
        self.asked = 0

    async def read(self, key: str) -> bytes | None:
        """Fail."""
        self.asked += 1
        raise RedisConnectionError(key)

    async def drop(self, key: str) -> None:
        """Fail."""
        raise RedisConnectionError(key)


class FullStore(MemoryStore):
    """A store that takes no values."""

    async def fill(self, key: str, token: str, value: bytes, seconds: float) -> bool:
        """Fail."""
        raise RedisConnectionError(key, token, value, seconds)


@pytest.fixture
def time() -> Time:
    """Give a clock."""
    return Time()


@pytest.fixture
def store(time: Time) -> MemoryStore:
    """Give an empty store."""
    return MemoryStore(time)


def cache_over(store: MemoryStore, time: Time) -> Cache:
    """Make a cache, as each process has one."""
    return Cache(store, Metrics(), now=time, sleep=time.sleep)


async def test_a_value_is_loaded_once_and_then_read(store: MemoryStore, time: Time) -> None:
    """The second reader does not trouble the source."""
    cache, source = cache_over(store, time), Source()
    assert await cache.read("plans", 300, source.load) == b"1"
    assert await cache.read("plans", 300, source.load) == b"1"
    assert source.loads == 1


async def test_a_value_is_loaded_again_after_its_time(store: MemoryStore, time: Time) -> None:
    """Five minutes later the source is asked again."""
    cache, source = cache_over(store, time), Source()
    await cache.read("plans", 300, source.load)
    time.now += 300
    assert await cache.read("plans", 300, source.load) == b"2"


async def test_a_hundred_readers_of_a_process_load_once(store: MemoryStore, time: Time) -> None:
    """A value that runs out under load does not bring the load down on the database."""
    cache, source = cache_over(store, time), Source(open_at_once=False)
    readers = [asyncio.create_task(cache.read("plans", 300, source.load)) for _ in range(100)]
    await asyncio.sleep(0)
    source.gate.set()
    assert set(await asyncio.gather(*readers)) == {b"1"}
    assert source.loads == 1


async def test_another_process_waits_for_the_one_that_loads(store: MemoryStore, time: Time) -> None:
    """Of all processes one loads; the others find its value a moment later."""
    await store.claim("plans", "another process", 5)

    def finish() -> None:
        store._values["plans"] = (b"theirs", time.now + 300)

    time.while_asleep = finish
    source = Source()
    assert await cache_over(store, time).read("plans", 300, source.load) == b"theirs"
    assert source.loads == 0


async def test_who_has_waited_long_enough_loads_without_filling(
    store: MemoryStore, time: Time
) -> None:
    """A process that died while loading costs the others a moment, not the request."""
    await store.claim("plans", "a dead process", 5)
    source, started = Source(), time.now
    assert await cache_over(store, time).read("plans", 300, source.load) == b"1"
    assert time.now - started == pytest.approx(PATIENCE_SECONDS, abs=0.1)
    assert await store.read("plans") is None


async def test_a_value_loaded_before_a_drop_is_not_kept(store: MemoryStore, time: Time) -> None:
    """Who reads after the data has changed sees it changed, even while an old load is under way."""
    cache, source = cache_over(store, time), Source(open_at_once=False)
    early = asyncio.create_task(cache.read("plans", 300, source.load))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await cache.drop("plans")
    late = asyncio.create_task(cache.read("plans", 300, source.load))
    await asyncio.sleep(0)
    source.gate.set()
    assert (await early, await late) == (b"1", b"2")
    assert await cache.read("plans", 300, source.load) == b"2"


async def test_a_reader_that_goes_away_takes_nobody_along(store: MemoryStore, time: Time) -> None:
    """The client of the first request hangs up; the second still gets the value of its load."""
    cache, source = cache_over(store, time), Source(open_at_once=False)
    first = asyncio.create_task(cache.read("plans", 300, source.load))
    second = asyncio.create_task(cache.read("plans", 300, source.load))
    await asyncio.sleep(0)
    first.cancel()
    source.gate.set()
    assert await second == b"1"
    assert source.loads == 1


async def test_a_failing_source_is_everybodys_failure_and_is_asked_again(
    store: MemoryStore, time: Time
) -> None:
    """An error is passed on and not kept."""
    cache, source = cache_over(store, time), Source()

    async def fail() -> bytes:
        raise RuntimeError("no database")

    with pytest.raises(RuntimeError, match="no database"):
        await cache.read("plans", 300, fail)
    time.now += 10
    assert await cache.read("plans", 300, source.load) == b"1"


async def test_without_a_store_values_are_loaded(time: Time) -> None:
    """A cache that cannot be reached is no reason to fail."""
    store, source = BrokenStore(time), Source()
    cache = cache_over(store, time)
    assert await cache.read("plans", 300, source.load) == b"1"
    assert await cache.read("plans", 300, source.load) == b"2"


async def test_a_broken_store_is_left_alone_for_a_while(time: Time) -> None:
    """Requests do not pay its time-out one after the other."""
    store, source = BrokenStore(time), Source()
    cache = cache_over(store, time)
    for _ in range(5):
        await cache.read("plans", 300, source.load)
    assert store.asked == 1
    time.now += ASIDE_SECONDS
    await cache.read("plans", 300, source.load)
    assert store.asked == 2


async def test_a_store_that_takes_no_value_does_not_lose_it(time: Time) -> None:
    """What was loaded is answered, filled in or not."""
    cache = cache_over(FullStore(time), time)
    assert await cache.read("plans", 300, Source().load) == b"1"


async def test_a_drop_that_fails_is_no_failure(time: Time) -> None:
    """Who changed the data is not told that a cache is away."""
    await cache_over(BrokenStore(time), time).drop("plans")


async def test_refreshing_replaces_the_value(store: MemoryStore, time: Time) -> None:
    """A job loads the value before it runs out, so that no request has to."""
    cache, source = cache_over(store, time), Source()
    await cache.read("plans", 300, source.load)
    assert await cache.refresh("plans", 300, source.load)
    assert await cache.read("plans", 300, source.load) == b"2"


async def test_refreshing_leaves_it_to_who_already_loads(store: MemoryStore, time: Time) -> None:
    """Two beats at once load once."""
    await store.claim("plans", "another", 5)
    source = Source()
    assert not await cache_over(store, time).refresh("plans", 300, source.load)
    assert source.loads == 0


async def test_a_dry_run_neither_reads_nor_leaves_anything(store: MemoryStore, time: Time) -> None:
    """It may see rows that nobody else may, so it loads for itself, also beside others."""
    cache, source = cache_over(store, time), Source()
    assert await cache.read("plans", 60.0, source.load) == b"1"
    run = DryRun("r")
    with inside(run):
        assert await cache.read("plans", 60.0, source.load) == b"2"
        assert await cache.read("other", 60.0, source.load) == b"3"
        await cache.drop("plans")
        assert not await cache.refresh("plans", 60.0, source.load)
    assert await store.read("plans") == b"1"
    assert await store.read("other") is None
    assert [effect.details for effect in run.effects] == [{"drop": "plans"}, {"refresh": "plans"}]
