import asyncio

import pytest

from proxy.admin.console.history import History
from tests.support_console import FakeController, route, side

START = 1_790_000_000.0


class Clock:
    """A clock the test sets."""

    def __init__(self) -> None:
        self.at = START

    def __call__(self) -> float:
        """Seconds since the epoch."""
        return self.at


def controller(clock: Clock) -> FakeController:
    """A controller with one route."""
    return FakeController([route("plans")], clock)


def test_samples_are_taken_at_the_given_distance() -> None:
    """Looking often does not make the history finer: a chart always covers the same time."""
    clock, history = Clock(), History(slots=4, every=5.0)
    source = controller(clock)
    for _ in range(11):
        history.feed(source.status())
        clock.at += 1.0
    assert len(history.series("plans", "legacy", "p95")) == 3
    assert history.span == 20.0


def test_only_the_last_samples_are_kept() -> None:
    """Memory is bounded by the number of slots."""
    clock, history = Clock(), History(slots=3, every=1.0)
    source = controller(clock)
    for bad in range(5):
        source.routes["plans"] = route("plans", modern=side(100, bad))
        history.feed(source.status())
        clock.at += 1.0
    assert history.series("plans", "modern", "error_rate") == [0.02, 0.03, 0.04]


def test_a_route_that_left_is_forgotten() -> None:
    """The history holds the routes in force and no others."""
    clock, history = Clock(), History(every=1.0)
    source = controller(clock)
    history.feed(source.status())
    source.routes = {}
    clock.at += 1.0
    history.feed(source.status())
    assert history.series("plans", "legacy", "p95") == []


def test_a_clock_set_back_does_not_stop_the_history() -> None:
    """After a jump into the past the next status is taken at once."""
    clock, history = Clock(), History(every=5.0)
    source = controller(clock)
    history.feed(source.status())
    clock.at -= 3_600
    history.feed(source.status())
    assert len(history.series("plans", "legacy", "p95")) == 2


async def test_watching_feeds_until_cancelled() -> None:
    """The watcher takes a sample, waits the distance, and begins again."""
    clock, history, waits = Clock(), History(every=5.0), []

    async def wait(seconds: float) -> None:
        waits.append(seconds)
        clock.at += seconds
        if len(waits) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await history.watch(controller(clock), wait)
    assert waits == [5.0, 5.0, 5.0]
    assert len(history.series("plans", "legacy", "p95")) == 3
