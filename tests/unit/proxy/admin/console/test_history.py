import asyncio

import pytest

from proxy.admin.console.history import EVERY, PART, PAUSE, History
from tests.support_console import FakeController, route, side


def controller(*ids: str) -> FakeController:
    """A controller with these routes."""
    return FakeController([route(each) for each in ids or ("plans",)])


class Waits:
    """Notes how long it was told to wait, waits no time at all, and ends with the third sample."""

    def __init__(self) -> None:
        self.told: list[float] = []

    async def __call__(self, seconds: float) -> None:
        """Wait."""
        self.told.append(seconds)
        if self.told.count(EVERY) == 3:
            raise asyncio.CancelledError


async def test_only_the_last_samples_are_kept() -> None:
    """Memory is bounded by the number of slots, and a chart always covers the same time."""
    source, history = controller(), History(slots=3, every=1.0)
    for bad in range(5):
        source.routes["plans"] = route("plans", modern=side(100, bad))
        await history.sample(source)
    assert history.series("plans", "modern", "error_rate") == [0.02, 0.03, 0.04]
    assert history.span == 3.0


async def test_sides_and_measures_are_told_apart() -> None:
    """Each series is one measure of one side, and has nothing where there was no traffic."""
    source, history = controller(), History()
    legacy, modern = side(100, 1), side(0, 0)
    source.routes["plans"] = route("plans", legacy=legacy, modern=modern)
    await history.sample(source)
    for name, figures in (("legacy", legacy), ("modern", modern)):
        assert history.series("plans", name, "requests_per_second") == [figures.requests_per_second]
        assert history.series("plans", name, "error_rate") == [figures.error_rate]
        assert history.series("plans", name, "p95") == [figures.p95]
    assert modern.error_rate is None


async def test_a_route_that_left_is_forgotten() -> None:
    """The history holds the routes in force and no others."""
    source, history = controller(), History()
    await history.sample(source)
    source.routes = {}
    await history.sample(source)
    assert history.series("plans", "legacy", "p95") == []


async def test_many_routes_are_sampled_a_few_at_a_time() -> None:
    """So that nobody waits for all of them; what is charted meanwhile is whole."""
    source, history, waits = controller(*map(str, range(2 * PART + 1))), History(), Waits()
    await history.sample(source, waits)
    assert waits.told == [PAUSE, PAUSE]
    assert {len(history.series(each, "legacy", "p95")) for each in source.routes} == {1}


async def test_watching_samples_until_cancelled() -> None:
    """The watcher takes a sample, waits the distance, and begins again."""
    history, waits = History(), Waits()
    with pytest.raises(asyncio.CancelledError):
        await history.watch(controller(), waits)
    assert waits.told == [EVERY, EVERY, EVERY]
    assert len(history.series("plans", "legacy", "p95")) == 3


async def test_pauses_are_part_of_the_distance() -> None:
    """With many routes samples are as far apart as with a few."""
    history, told = History(), list[float]()

    async def wait(seconds: float) -> None:
        told.append(seconds)
        if seconds != PAUSE:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await history.watch(controller(*map(str, range(2 * PART))), wait)
    assert sum(told) == pytest.approx(EVERY)
