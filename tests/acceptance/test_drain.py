"""SIGTERM: what has begun is ended, what comes later is refused, and the exit status is 0."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

import pytest

from tests.acceptance.test_dead_parts import replaced
from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Answer, Load, ask_once, reads, under_load, writes
from tests.support_proxy import Proxy, rules_between

SLOW = 1.5


@pytest.fixture
async def proxy(legacy: App, modern: App, make_proxy: Callable[..., Proxy]) -> Proxy:
    """Give a running proxy before two applications that take their time."""
    proxy = make_proxy(rules_between(legacy.port, modern.port))
    await proxy.start()
    legacy.delay = modern.delay = SLOW
    return proxy


async def begun(apps: tuple[App, ...], count: int) -> None:
    """Wait until so many requests have reached the applications."""

    async def reached() -> bool:
        return sum(len(app.seen) for app in apps) >= count

    await eventually_async(reached, what=f"{count} requests are on their way")


async def test_requests_in_flight_are_answered(proxy: Proxy, legacy: App, modern: App) -> None:
    """Slow requests of both kinds end well, and their connections are closed after the answer."""
    asked = [
        asyncio.create_task(ask_once(proxy.port, f"person-{number}", make()))
        for make in (reads, writes)
        for number in range(10)
    ]
    await begun((legacy, modern), len(asked))
    proxy.ask_to_stop()
    answers: list[Answer] = await asyncio.gather(*asked)
    assert await proxy.ended() == 0
    assert [answer for answer in answers if not answer.good] == []
    assert {answer.headers["connection"] for answer in answers} == {"close"}
    assert set((legacy.keys + modern.keys).values()) == {1}


async def test_new_connections_are_refused_during_the_drain(
    proxy: Proxy, legacy: App, modern: App
) -> None:
    """Nobody is kept waiting in a queue that no worker will ever look at."""
    legacy.delay = modern.delay = 2 * SLOW
    asked = asyncio.create_task(ask_once(proxy.port, "person-1", reads()))
    await begun((legacy, modern), 1)
    proxy.ask_to_stop()

    async def refused() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        except ConnectionRefusedError:
            return True
        writer.close()
        return False

    await eventually_async(refused, what="a late client is refused")
    assert not asked.done(), "it was refused during the drain, not after it"
    assert (await asked).good
    assert await proxy.ended() == 0


async def test_an_upstream_that_never_answers_does_not_hold_it_for_ever(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """After --drain-seconds what is left is cut off, and the exit status is still 0."""
    proxy = make_proxy(rules_between(legacy.port, modern.port), "--drain-seconds", "1")
    await proxy.start()
    legacy.delay = modern.delay = 60.0
    asked = asyncio.create_task(ask_once(proxy.port, "person-1", reads()))
    await begun((legacy, modern), 1)
    assert await proxy.stop() == 0
    assert not (await asked).good


async def test_every_exchange_of_a_drained_proxy_is_on_record(
    proxy: Proxy, legacy: App, modern: App
) -> None:
    """The access log has a line for each answer that a client got, the last ones included."""
    legacy.delay = modern.delay = 0.01
    async with under_load(Load(proxy.port, clients=8)) as load:
        await load.reached(200)
        proxy.ask_to_stop()
        load.stop()
    assert await proxy.ended() == 0
    answered = [answer for answer in load.answers if not answer.failure]
    assert len(proxy.log_lines()) == len(answered), proxy.log.read_text()


async def test_one_worker_that_is_asked_to_end_is_replaced(
    proxy: Proxy, legacy: App, modern: App
) -> None:
    """Its requests are ended, strangers at the door are served, the next worker takes its place."""
    legacy.delay = modern.delay = 0.2
    asked = [
        asyncio.create_task(ask_once(proxy.port, f"person-{number}", writes()))
        for number in range(20)
    ]
    await begun((legacy, modern), len(asked))
    (first, second) = await proxy.pids("worker")
    os.kill(first, signal.SIGTERM)
    assert [answer for answer in await asyncio.gather(*asked) if not answer.good] == []

    legacy.delay = modern.delay = 0.0
    async with under_load(Load(proxy.port, make=writes, kept=False)) as load:
        await load.reached(200)
        await replaced(proxy, "worker", first)
        os.kill(second, signal.SIGTERM)
        await load.reached(200)
        await replaced(proxy, "worker", second)
        await load.reached(200)
    # A handshake that ends between the last look at the queue and its end is reset by the kernel.
    assert len(load.failed) < 10
    assert not {answer.request.key for answer in load.failed} & {*legacy.keys, *modern.keys}
