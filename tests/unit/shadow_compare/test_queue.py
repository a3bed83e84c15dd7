from __future__ import annotations

import asyncio
from collections import Counter
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.queue import Arrival, CaptureQueue


def queue(number: int = 100, size: int = 10_000, at_once: int = 100) -> CaptureQueue:
    """Give an empty queue."""
    return CaptureQueue(number, size, at_once)


async def taken(of: CaptureQueue, number: int) -> list[bytes]:
    """Take up so many, and say that they are done."""
    found = []
    for _ in range(number):
        arrival = await of.get()
        found.append(arrival.frame)
        of.done(arrival)
    return found


async def test_one_route_is_served_in_order() -> None:
    """First in, first out."""
    of = queue()
    for frame in (b"1", b"2", b"3"):
        assert of.put(Arrival("a", frame)) == []
    assert len(of) == 3
    assert await taken(of, 3) == [b"1", b"2", b"3"]
    assert (len(of), of.under_way) == (0, 0)


async def test_routes_take_turns() -> None:
    """A route with one capture does not wait for another's hundred."""
    of = queue()
    for number in range(5):
        of.put(Arrival("busy", b"%d" % number))
    of.put(Arrival("quiet", b"q"))
    assert await taken(of, 3) == [b"0", b"q", b"1"]


async def test_a_full_queue_gives_up_the_oldest_of_the_longest_lane() -> None:
    """What remains is fresh, and those who ask little lose nothing."""
    of = queue(number=4)
    of.put(Arrival("quiet", b"q"))
    for frame in (b"1", b"2", b"3"):
        of.put(Arrival("busy", frame))
    assert [each.frame for each in of.put(Arrival("busy", b"4"))] == [b"1"]
    assert [each.frame for each in of.put(Arrival("other", b"o"))] == [b"2"]
    assert len(of) == 4
    assert sorted(await taken(of, 4)) == [b"3", b"4", b"o", b"q"]


async def test_bytes_are_bounded_too() -> None:
    """One long capture may take the place of several; one that fits nowhere is given back."""
    of = queue(size=100)
    for _ in range(3):
        of.put(Arrival("a", b"x" * 30))
    assert len(of.put(Arrival("a", b"x" * 70))) == 2
    huge = Arrival("a", b"x" * 101)
    assert of.put(huge) == [huge]
    assert len(of) == 2


async def test_a_slow_route_holds_up_nobody() -> None:
    """Beyond what may be under way of a route, the others go on."""
    of = queue(at_once=1)
    for route in ("slow", "slow", "quick", "quick"):
        of.put(Arrival(route, route.encode()))
    slow = await of.get()
    assert slow.route == "slow"
    assert await taken(of, 2) == [b"quick", b"quick"]
    waiting = asyncio.create_task(of.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    of.done(slow)
    assert (await waiting).frame == b"slow"


async def test_limits_of_routes_and_of_all_are_followed_at_once() -> None:
    """Also by those that wait already."""
    of = queue()
    of.limit({"a": 1}, 2)
    for route in ("a", "a", "b", "b"):
        of.put(Arrival(route, b""))
    under_way = [await of.get() for _ in range(2)]
    assert [each.route for each in under_way] == ["a", "b"]
    waiting = [asyncio.create_task(of.get()) for _ in range(2)]
    await asyncio.sleep(0)
    assert not any(each.done() for each in waiting)
    of.limit({}, None)
    assert {each.route for each in await asyncio.gather(*waiting)} == {"a", "b"}
    assert of.under_way == 4


async def test_whoever_waits_gets_the_next_one_even_if_another_gives_up() -> None:
    """A wake-up call is not lost with the one who was cancelled when it came."""
    of = queue()
    first, second = (asyncio.create_task(of.get()) for _ in range(2))
    await asyncio.sleep(0)
    of.put(Arrival("a", b"1"))
    first.cancel()
    assert (await second).frame == b"1"
    with pytest.raises(asyncio.CancelledError):
        await first
    third = asyncio.create_task(of.get())
    await asyncio.sleep(0)
    third.cancel()
    await asyncio.sleep(0)
    of.put(Arrival("a", b"2"))
    assert await taken(of, 1) == [b"2"]


async def test_what_came_of_a_capture_is_told_once_it_is_done() -> None:
    """Not when it is taken up: whoever dies in the middle has not dealt with it."""
    told: list[str] = []
    of = queue()
    of.put(Arrival("a", b"1", lambda: told.append("1")))
    arrival = await of.get()
    assert told == []
    of.done(arrival)
    assert told == ["1"]


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 60)) | st.none(), max_size=60),
    st.integers(1, 5),
)
def test_nothing_is_lost_unseen(steps: list[tuple[str, int] | None], at_once: int) -> None:
    """Each capture is taken up once or given up once, within the bounds, whatever the order."""

    async def play() -> None:
        of, names = CaptureQueue(5, 100, at_once), count()
        put: set[bytes] = set()
        seen: Counter[bytes] = Counter()
        under_way: list[Arrival] = []
        for step in steps:
            if step is not None:
                frame = b"%03d" % next(names) + b"x" * step[1]
                put.add(frame)
                seen.update(each.frame for each in of.put(Arrival(step[0], frame)))
            elif len(of) and not of.under_way:
                under_way.append(await of.get())
            elif under_way:
                of.done(arrival := under_way.pop(0))
                seen[arrival.frame] += 1
            assert len(of) <= 5
        for arrival in under_way:
            of.done(arrival)
            seen[arrival.frame] += 1
        seen.update(await taken(of, len(of)))
        assert seen == Counter(put)
        assert of.under_way == 0

    asyncio.run(play())
