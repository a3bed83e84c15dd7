"""Modern dies under load: legacy takes over, and only a write that may have been read is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import datetime

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, reads, under_load, writes
from tests.support_proxy import Plain, Proxy, bucket, rules_between


async def rolled_back(proxy: Proxy, route: str = "orders") -> Plain:
    """Wait for the rollback of a route and give its decision."""

    async def decided() -> Plain | None:
        found = [one for one in await proxy.decisions("rollback") if one["route"] == route]
        return found[0] if found else None

    decision = await eventually_async(decided, what=f"{route} is rolled back")
    assert decision is not None
    return decision


def instant(text: str) -> float:
    """Read a point in time of the API as Unix seconds."""
    return datetime.fromisoformat(text).timestamp()


async def test_readers_notice_nothing(proxy_between: Proxy, modern: App) -> None:
    """Reads are served by legacy, the route is rolled back, and modern is not asked again."""
    proxy = proxy_between
    async with under_load(Load(proxy.port)) as load:
        await load.reached(1000)
        modern.kill()
        decision = await rolled_back(proxy)
        await proxy.settled(decision["version"])
        in_force = len(load.answers)
        await load.reached(1000)

    assert load.failed == []
    assert load.sides["modern"] > 200
    assert {answer.side for answer in load.answers[in_force + 24 :]} == {"legacy"}
    assert (await proxy.route())["phase"] == "ROLLED_BACK"
    assert decision["author"] == "cutover"
    samples = decision["evidence"]["samples"]
    assert {sample["kind"] for sample in samples} <= {"connect", "reset"}
    first = min(instant(sample["at"]) for sample in samples)
    assert first <= instant(decision["at"]) <= first + 1.0


async def test_no_attempt_follows_the_decision(proxy_between: Proxy, modern: App) -> None:
    """By the access log: once a worker has the version of the rollback, it goes to legacy only."""
    proxy = proxy_between
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
        modern.kill()
        decision = await rolled_back(proxy)
        await load.reached(500)
    await proxy.stop()
    lines = proxy.log_lines()
    assert len(lines) == len(load.answers)
    after = [line for line in lines if line["version"] >= decision["version"]]
    assert after
    assert {(line["decided"], line["reason"]) for line in after} == {("legacy", "rolled_back")}
    caught = [line for line in lines if (line["decided"], line["side"]) == ("modern", "legacy")]
    assert caught, "somebody was caught by legacy"
    assert {line["status"] for line in caught} == {200}


async def test_a_modern_that_hangs_is_as_good_as_dead(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """It accepts and never answers: readers get legacy's answer late, and then in time again."""
    patient = rules_between(legacy.port, modern.port)
    proxy = make_proxy(patient.replace("response: 20s", "response: 1s"))
    await proxy.start()
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
        modern.delay = 60.0
        decision = await rolled_back(proxy)
        await proxy.settled(decision["version"])
        await load.reached(500)
    assert load.failed == []
    assert {sample["kind"] for sample in decision["evidence"]["samples"]} == {"timeout"}
    assert {answer.side for answer in load.answers[-200:]} == {"legacy"}


async def test_a_modern_that_hangs_with_all_its_connections_in_use(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """More people than connections: who finds none is served by legacy, and nobody is refused."""
    few = f'{modern.port}"], max_connections: 4'
    patient = rules_between(legacy.port, modern.port).replace(f'{modern.port}"]', few)
    proxy = make_proxy(patient.replace("response: 20s", "response: 2s"))
    await proxy.start()
    async with under_load(Load(proxy.port, clients=80)) as load:
        await load.reached(500)
        modern.delay = 60.0
        decision = await rolled_back(proxy)
        await proxy.settled(decision["version"])
        await load.reached(500)
    assert load.failed == []


async def test_modern_dies_while_the_controller_cannot_act(
    proxy_between: Proxy, modern: App
) -> None:
    """Legacy catches readers for as long as it takes; the rollback comes with the controller."""
    proxy = proxy_between
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
        (controller,) = await proxy.pids("controller")
        os.kill(controller, signal.SIGSTOP)
        modern.kill()
        await load.reached(2000)
        os.kill(controller, signal.SIGCONT)
        await rolled_back(proxy)
    assert load.failed == []


async def test_a_write_is_never_sent_twice(proxy_between: Proxy, legacy: App, modern: App) -> None:
    """What modern may have read is answered 502; what it never saw may be written by legacy."""
    proxy = proxy_between

    async def some_are_with_it() -> bool:
        return len(modern.seen) > modern.answered

    async with under_load(Load(proxy.port, make=writes)) as load:
        await load.reached(300)
        modern.delay = 5.0  # what comes now is still there when it dies
        await eventually_async(some_are_with_it, 10, "modern holds a write")
        modern.kill()
        decision = await rolled_back(proxy, "orders.write")
        await proxy.settled(decision["version"])
        await load.reached(300)

    sent = legacy.keys + modern.keys
    assert set(sent.values()) == {1}
    assert {answer.failure for answer in load.answers} == {""}
    assert {answer.status for answer in load.answers} == {200, 502}
    done = [answer for answer in load.answers if answer.status == 200]
    assert len(done) == legacy.answered + modern.answered


async def test_reads_and_writes_are_judged_apart(proxy_between: Proxy, modern: App) -> None:
    """A route is rolled back on its own evidence; one that nobody asked for keeps its weight."""
    proxy = proxy_between
    async with under_load(Load(proxy.port, make=reads)) as load:
        await load.reached(300)
        modern.kill()
        await rolled_back(proxy)
    assert load.failed == []
    assert (await proxy.route("orders.write"))["weight_in_force"] == 50


async def test_modern_comes_back_when_an_operator_says_so(
    proxy_between: Proxy, modern: App
) -> None:
    """A revived modern gets nobody by itself; after `resume` the same people are back on it."""
    proxy = proxy_between
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
        modern.kill()
        decision = await rolled_back(proxy)
        await modern.start()
        await proxy.settled(decision["version"])
        asked = len(modern.seen)
        await load.reached(500)
        assert len(modern.seen) == asked
        said = await proxy.cli("resume", "orders", "--force", "--reason", "it runs again")
        assert said.code == 0, said.err
        resumed = await proxy.settled()
        seen = len(load.answers)
        await load.reached(1000)
    assert resumed["version"] > decision["version"]
    assert load.failed == []
    after = {answer.identity for answer in load.answers[seen + 24 :] if answer.side == "modern"}
    assert after == {person for person in load.people if bucket(person) < 5000}
