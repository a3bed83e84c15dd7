"""Captures over a real Redis: what is put in comes out once, whoever dies, Redis included."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis
from shadow_compare.capture import Capture
from shadow_compare.queue import Arrival, CaptureQueue
from shadow_compare.stream import forwarder as forwarding
from shadow_compare.stream.forwarder import Forwarder, stream_figures
from shadow_compare.stream.place import FIELD, GROUP, Place, connect
from shadow_compare.stream.reader import DELIVERIES, StreamReader
from tests.support import eventually_async
from tests.support_shadow import a_capture

PREFIXES = count()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    """Give a Redis of our own, which may be stopped and started."""
    redis = Redis(tmp_path_factory.mktemp("redis"), free_ports(1)[0], tied=True)
    redis.start()
    yield redis
    redis.stop()


@pytest.fixture
def place(server: Redis) -> Place:
    """Give a stream that nobody else uses."""
    return Place(server.url(), prefix=f"test{next(PREFIXES)}")


class Worker:
    """A reader, its queue, and what it was told of losses."""

    def __init__(self, place: Place, name: str, held: int = 50, idle: float = 60.0) -> None:
        self.queue = CaptureQueue(1000, 10**9, 1000)
        self.losses: Counter[str] = Counter()
        self.reclaimed: Counter[str] = Counter()
        self.reader = StreamReader(
            place, self.queue, self._lost, name, held, self.reclaimed, idle=idle
        )

    def _lost(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        del capture, error
        self.losses[reason] += 1

    async def taken(self, number: int) -> list[Arrival]:
        """Take up so many captures."""
        async with asyncio.timeout(10):
            return [await self.queue.get() for _ in range(number)]


@asynccontextmanager
async def reading(
    place: Place, name: str = "one", held: int = 50, idle: float = 60.0
) -> AsyncIterator[Worker]:
    """Run a reader; at the end it leaves in good order."""
    worker = Worker(place, name, held, idle)
    task = asyncio.create_task(worker.reader.run())
    try:
        yield worker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def forwarding_to(place: Place, path: Path) -> AsyncIterator[Forwarder]:
    """Run a forwarder behind a socket."""
    forwarder = Forwarder(place)
    task = asyncio.create_task(forwarder.run(path))
    try:
        await eventually_async(lambda: _exists(path), what="it listens")
        yield forwarder
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _exists(path: Path) -> bool:
    return path.exists()  # noqa: ASYNC240 - a file is the event


async def send(path: Path, *captures: Capture) -> None:
    """Write captures as a data plane does."""
    _, writer = await asyncio.open_unix_connection(str(path))
    writer.writelines([capture.encode() for capture in captures])
    await writer.drain()
    writer.close()


async def figures(place: Place) -> dict[str, int]:
    """Look at the stream."""
    client = connect(place)
    try:
        return await stream_figures(client, place)
    finally:
        await client.aclose()


async def put(place: Place, *captures: Capture) -> None:
    """Put captures into the stream directly."""
    client = connect(place)
    for capture in captures:
        await client.xadd(place.key, {FIELD: capture.encode()[4:]})
    await client.aclose()


async def left_by_a_dead_reader(place: Place, deliveries: int = 1) -> None:
    """Have whatever is in the stream delivered to somebody who is never heard of again."""
    client = connect(place)
    with suppress(Exception):
        await client.xgroup_create(place.key, GROUP, id="0", mkstream=True)
    await client.xreadgroup(GROUP, "dead", {place.key: ">"}, count=100)
    for _ in range(deliveries - 1):
        await client.xautoclaim(place.key, GROUP, "dead", 0)
    await client.aclose()


async def is_empty(place: Place) -> None:
    """Wait until everything has been dealt with."""

    async def empty() -> bool:
        return await figures(place) == {"length": 0, "lag": 0, "pending": 0}

    await eventually_async(empty, what="the stream is empty")


async def test_captures_come_out_as_they_went_in(place: Place, tmp_path: Path) -> None:
    """Byte for byte, each once; the stream is empty when they have been dealt with."""
    sent = [a_capture(id=f"r{n}", body=b"\x00\xff%d" % n) for n in range(30)]
    async with reading(place) as worker, forwarding_to(place, tmp_path / "s") as forwarder:
        await send(tmp_path / "s", *sent)
        arrivals = await worker.taken(30)
        assert [Capture.decode(each.frame) for each in arrivals] == sent
        assert (await figures(place))["pending"] == 30
        for arrival in arrivals:
            worker.queue.done(arrival)
        await is_empty(place)
        assert (forwarder.take_added(), forwarder.take_dropped()) == (30, {})
        assert (worker.losses, worker.reclaimed) == ({}, {})


async def test_readers_share_and_none_hoards(place: Place) -> None:
    """Each holds no more than it may; what one has is not another's."""
    await put(place, *(a_capture(id=f"r{n}") for n in range(12)))
    async with reading(place, "one", held=5) as one, reading(place, "two", held=5) as two:
        arrivals = [*await one.taken(5), *await two.taken(5)]
        await asyncio.sleep(0.05)
        assert (len(one.queue), len(two.queue)) == (0, 0)
        assert (await figures(place))["lag"] == 2
        one.queue.done(arrivals[0])
        one.queue.done(arrivals[1])
        arrivals += await one.taken(2)
        assert len({each.frame for each in arrivals}) == 12


async def test_what_a_dead_reader_held_is_anothers(place: Place) -> None:
    """Reads only: of a write nobody knows whether it was sent, and it is never sent twice."""
    read, write = a_capture(id="read"), a_capture(id="write", method="POST", request_body=b"x")
    await put(place, read, write)
    await left_by_a_dead_reader(place)
    async with reading(place, idle=0.1) as worker:
        (arrival,) = await worker.taken(1)
        assert Capture.decode(arrival.frame) == read
        worker.queue.done(arrival)
        await is_empty(place)
        assert worker.losses == {"worker_died": 1}
        assert worker.reclaimed.total() == 1


async def test_a_write_is_given_out_only_once_it_is_acknowledged(place: Place) -> None:
    """Whoever dies with it in hand has left nothing to send again."""
    await put(place, a_capture(method="POST", request_body=b"x"))
    async with reading(place) as worker:
        (arrival,) = await worker.taken(1)
        assert await figures(place) == {"length": 0, "lag": 0, "pending": 0}
        worker.queue.done(arrival)


async def test_what_kills_its_readers_is_given_up(place: Place) -> None:
    """And counted, after a few of them."""
    await put(place, a_capture())
    await left_by_a_dead_reader(place, DELIVERIES)
    async with reading(place, idle=0.1) as worker:
        await is_empty(place)
        assert worker.losses == {"gave_up": 1}
        assert len(worker.queue) == 0


async def test_a_slow_reader_that_lives_keeps_what_it_holds(place: Place) -> None:
    """It shows signs of life for it."""
    await put(place, a_capture())
    async with reading(place, "slow", idle=0.5) as slow:
        (arrival,) = await slow.taken(1)
        async with reading(place, "eager", idle=0.5) as eager:
            await asyncio.sleep(1.2)
            assert (len(eager.queue), eager.reclaimed) == (0, {})
        slow.queue.done(arrival)
        await is_empty(place)


async def test_what_is_no_capture_is_counted_and_taken_out(place: Place) -> None:
    """Whoever put it there."""
    client = connect(place)
    await client.xadd(place.key, {"other": b"x"})
    await client.xadd(place.key, {FIELD: b"nonsense"})
    await client.aclose()
    await put(place, a_capture())
    async with reading(place) as worker:
        (arrival,) = await worker.taken(1)
        worker.queue.done(arrival)
        await is_empty(place)
        assert worker.losses == {"bad_frame": 2}


@pytest.mark.parametrize(("length", "size"), [(100, 10**9), (10**6, 60_000)])
async def test_a_flood_fills_no_server(
    server: Redis, tmp_path: Path, length: int, size: int
) -> None:
    """The stream is bounded in number and in bytes, from several hosts; what is over is counted."""
    place = Place(server.url(), f"flood{next(PREFIXES)}", length, size)
    paths = [tmp_path / str(number) for number in range(3)]
    body = b"x" * 300
    async with (
        forwarding_to(place, paths[0]) as one,
        forwarding_to(place, paths[1]) as two,
        forwarding_to(place, paths[2]) as three,
    ):
        forwarders = (one, two, three)
        for number in range(5):
            for path in paths:
                await send(path, *(a_capture(id=f"r{number}-{n}", body=body) for n in range(200)))
        added = dropped = 0

        async def all_told() -> bool:
            nonlocal added, dropped
            for each in forwarders:
                added += each.take_added()
                dropped += each.take_dropped().get("plans", {}).get("bus_full", 0)
            return added + dropped == 3000

        await eventually_async(all_told, what="every capture is accounted for")
    waiting = (await figures(place))["length"]
    assert 0 < waiting <= added
    assert waiting <= 3 * min(length, size // len(body))
    assert dropped >= 3000 - 3 * length


async def test_redis_goes_and_comes_back_empty(
    server: Redis, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Meanwhile captures are dropped and counted; afterwards all goes on, without the old ones."""
    monkeypatch.setattr(forwarding, "HELD", 10)
    async with reading(place) as worker, forwarding_to(place, tmp_path / "s") as forwarder:
        await send(tmp_path / "s", a_capture())
        (held,) = await worker.taken(1)
        lost: Counter[str] = Counter()
        sent = 0

        async def gone(number: int) -> bool:
            nonlocal sent
            await send(tmp_path / "s", *(a_capture() for _ in range(number)))
            sent += number
            lost.update(forwarder.take_dropped().get("plans", {}))
            return lost["bus_gone"] >= number

        server.stop()
        try:
            for number in (1, 50):
                await eventually_async(partial(gone, number), what="captures are dropped")
        finally:
            server.start()
        worker.queue.done(held)

        async def again() -> bool:
            await send(tmp_path / "s", a_capture(id="again"))
            return bool(len(worker.queue))

        await eventually_async(again, what="captures come again")
        while len(worker.queue):
            worker.queue.done((await worker.taken(1))[0])
        assert set(lost) == {"bus_gone"}
        assert lost.total() <= sent
        assert worker.losses == {}


async def test_readers_that_left_nothing_are_forgotten(place: Place) -> None:
    """One that ends in good order takes its name along."""
    await put(place, a_capture())
    async with reading(place, "good") as worker:
        worker.queue.done((await worker.taken(1))[0])
        await is_empty(place)
    client = connect(place)
    assert await client.xinfo_consumers(place.key, GROUP) == []
    await client.aclose()
