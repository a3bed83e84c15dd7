from __future__ import annotations

from proxy.control.interval import EVERY_ROUTE, Interval
from proxy.control.roller import Roller
from proxy.control.store.memory import MemoryStore
from tests.support_series import minute

HOUR = 3600.0
DAY = 86_400.0


async def kept(store: MemoryStore, span: int, route: str | None = None) -> list[Interval]:
    """Give the roll-ups of one length."""
    return [each for _, each in await store.rollups(span, 0.0, 1e12, route)]


async def watch(store: MemoryStore, since: float, until: float) -> None:
    """Keep a minute of one route each minute."""
    for n in range(int(since // 60) + 1, int(until // 60) + 1):
        at = n * 60.0
        await store.keep_intervals([Interval(EVERY_ROUTE, at, 60.0), minute("plans", at, 1000)])


async def test_minutes_become_hours_and_days() -> None:
    """Each length from the one before it, and no answer is lost or counted twice."""
    store = MemoryStore()
    await watch(store, DAY - HOUR, DAY + HOUR + 300)
    await Roller(store).roll(DAY + HOUR + 300)
    assert [each.at for each in await kept(store, 600, "plans")][-1] == DAY + HOUR
    assert [each.at for each in await kept(store, 3600, "plans")] == [DAY, DAY + HOUR]
    (day,) = await kept(store, 86_400, "plans")
    minutes = [e for _, e in await store.intervals(0.0, DAY, "plans", 10_000) if e.route]
    assert day.at == DAY
    assert day.seconds == HOUR
    assert day.modern.served == sum(each.modern.served for each in minutes)
    assert sum(day.legacy.latencies.values()) == sum(each.legacy.ok for each in minutes)
    (every,) = await kept(store, 86_400, EVERY_ROUTE)
    assert every.modern.served == day.modern.served


async def test_what_is_made_is_not_made_again() -> None:
    """Asked twice, also after another start, it adds nothing."""
    store = MemoryStore()
    await watch(store, 0.0, 1200.0)
    await Roller(store).roll(1230.0)
    first = await kept(store, 600)
    await Roller(store).roll(1230.0)
    assert await kept(store, 600) == first
    assert len(first) == 4


async def test_a_gap_is_jumped_over() -> None:
    """Nobody ran for a day: nothing is made of it, and what came after is."""
    store = MemoryStore()
    await watch(store, 0.0, 600.0)
    await Roller(store).roll(600.0)
    await watch(store, DAY, DAY + 600.0)
    await Roller(store).roll(DAY + 600.0)
    assert [each.at for each in await kept(store, 600, "plans")] == [600.0, DAY + 600.0]


async def test_after_a_long_rest_no_day_is_made_of_half_its_hours() -> None:
    """So many at a time; a longer one waits until all of its parts are there."""
    store = MemoryStore()
    await watch(store, 0.0, DAY)
    await Roller(store).roll(DAY)
    assert len(await kept(store, 600, "plans")) == 50
    assert await kept(store, 3600) == []
    for _ in range(3):
        await Roller(store).roll(DAY)
    (day,) = await kept(store, 86_400, "plans")
    assert day.seconds == DAY


async def test_old_ones_go() -> None:
    """Ten minutes stay three days, an hour fifteen, a day for more than a year."""
    store = MemoryStore()
    await watch(store, 0.0, DAY)
    for _ in range(4):
        await Roller(store).roll(DAY)
    await watch(store, 4 * DAY, 4 * DAY + 600)
    await Roller(store).roll(4 * DAY + 600)
    assert [each.at for each in await kept(store, 600, "plans")] == [4 * DAY + 600]
    assert len(await kept(store, 3600, "plans")) == 24
    await Roller(store).roll(399 * DAY)
    assert await kept(store, 3600) == []
    assert len(await kept(store, 86_400, "plans")) >= 1
