"""Plans that run by themselves: up on evidence, back on a breach, and on after any restart."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Plain, Proxy

RULES = """\
version: 1
upstreams:
  legacy: {{instances: ["http://127.0.0.1:{legacy}"], timeouts: {{connect: 1s, response: 20s}}}}
  modern: {{instances: ["http://127.0.0.1:{modern}"], timeouts: {{connect: 1s, response: 20s}}}}
defaults:
  sticky_by: [cookie:visitor]
  rollback: {{error_rate: 5%, p95: 500ms, mismatch_rate: 5%, cooldown: {cooldown}}}
plans:
  five:  # the five phases
    - {{weight: 0%, shadow: true, until: {{compared: 60, mismatch_rate: 5%}}}}
    - {{weight: 10%, hold: {hold}, until: {{requests: {requests}}}}}
    - {{weight: 50%, hold: 1s}}
    - {{weight: 90%, hold: 1s}}
    - {{weight: 100%}}
routes:
  - id: orders
    match: {{method: [GET], path: /orders}}
    weight: 0%  # moves by itself
    plan: five
    mirror: {{share: 100%, towards: [modern, legacy]}}
  - {{id: rest, match: {{path: /*}}}}
"""
SENTENCE_MAX = 160


class Stage:
    """Two applications, and a proxy whose plan is in a hurry."""

    def __init__(self, make_proxy: Callable[..., Proxy], legacy: App, modern: App) -> None:
        self._make_proxy = make_proxy
        self._ports = {"legacy": legacy.port, "modern": modern.port}

    def proxy(self, hold: str = "1s", requests: int = 40, cooldown: str = "10m") -> Proxy:
        """Make the proxy; the second step takes this long, and asks for so many requests."""
        said = {"hold": hold, "requests": requests, "cooldown": cooldown}
        return self._make_proxy(RULES.format(**self._ports, **said))


@pytest.fixture
def stage(make_proxy: Callable[..., Proxy], legacy: App, modern: App) -> Stage:
    """Give the two applications, and a way to put a proxy before them."""
    return Stage(make_proxy, legacy, modern)


async def at_weight(proxy: Proxy, weight: int) -> Plain:
    """Wait until the plan has come so far (percent); gives the route."""

    async def arrived() -> Plain | None:
        route = await proxy.route()
        return route if route["weight_in_force"] >= weight else None

    found = await eventually_async(arrived, 60, f"the plan comes to {weight}%")
    assert found is not None
    return found


async def rolled_back(proxy: Proxy) -> Plain:
    """Wait until the route is taken back; gives it."""

    async def back() -> Plain | None:
        route = await proxy.route()
        return route if route["phase"] == "ROLLED_BACK" else None

    found = await eventually_async(back, 60, "the route is rolled back")
    assert found is not None
    return found


async def test_five_phases_by_themselves(stage: Stage) -> None:
    """0, 10, 50, 90, 100: nobody touches anything, nobody is moved back, nothing fails."""
    proxy = stage.proxy()
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as load:
        route = await at_weight(proxy, 100)
        await proxy.settled()
        since = time.monotonic()
        await load.reached(100)
    assert load.failed == []
    assert route["phase"] == "MODERN"
    steps = list(reversed(await proxy.decisions("advance")))
    assert [step["evidence"]["weight"] for step in steps] == [10, 50, 90, 100]
    assert {step["author"] for step in steps} == {"plan"}
    first = steps[0]["evidence"]
    assert (first["compared"] >= 60, first["mismatches"]) == (True, 0)
    assert "none differ" in steps[0]["reason"]
    assert "will be caught after about" in first["power"]
    assert "weight: 100%  # moves by itself" in proxy.rules.read_text()
    versions = (await proxy.get("/versions"))["versions"]
    assert [v["author"] for v in versions] == ["plan"] * 4 + ["file"]
    assert {answer.side for answer in load.answers if answer.began > since} == {"modern"}
    for who in {answer.identity for answer in load.answers}:
        sides = [answer.side for answer in load.answers if answer.identity == who]
        assert sides == sorted(sides), "somebody who had moved went back"


def dies(modern: App) -> None:
    """Nobody listens any more."""
    modern.kill()


def fails(modern: App) -> None:
    """Every second answer is 500."""
    modern.failing = 0.5


def slows_down(modern: App) -> None:
    """Answers come, and too late."""
    modern.delay = 1.0


def lies(modern: App) -> None:
    """Answers come in time, and say something else."""
    modern.body = b'{"orders": [1]}'


@pytest.mark.parametrize("breach", [dies, fails, slows_down, lies])
async def test_each_breach_is_taken_back_and_told_in_a_sentence(
    stage: Stage, modern: App, breach: Callable[[App], None]
) -> None:
    """Wherever the plan stands: back to legacy at once, with one sentence that says why."""
    proxy = stage.proxy(hold="1h")
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as load:
        await at_weight(proxy, 10)
        await load.reached(200)
        breach(modern)
        route = await rolled_back(proxy)
        await proxy.settled()
        since = time.monotonic()
        before = sum(seen.mirrored for seen in modern.seen)
        await load.reached(200)
    [decision] = await proxy.decisions("rollback")
    reason = route["rolled_back"]["reason"]
    assert decision["reason"] == reason
    assert 20 < len(reason) < SENTENCE_MAX
    assert "\n" not in reason
    assert decision["evidence"]["weight"] == 10
    assert decision["evidence"]["rules_version"] == 2
    assert route["weight_in_force"] == 0
    assert route["verdict_reason"].startswith("rolled back; waits to be resumed")
    assert all(answer.status == 200 for answer in load.answers)
    assert {answer.side for answer in load.answers if answer.began > since} == {"legacy"}
    if breach in (fails, lies):  # mirroring goes on, so that the mending can be proved
        assert sum(seen.mirrored for seen in modern.seen) > before


@pytest.mark.parametrize("after", [0.0, 0.1])
async def test_everything_is_killed_in_the_middle_of_a_rollback(
    stage: Stage, modern: App, after: float
) -> None:
    """Wherever it is cut off: when everything is back, the route ends rolled back and stays so."""
    proxy = stage.proxy(hold="1h")
    await proxy.start()
    load = Load(proxy.port, clients=40)
    async with under_load(load):
        await at_weight(proxy, 10)
        modern.kill()
        await load.reached(20)
        await asyncio.sleep(after)
        load.stop()  # whoever has asked is cut off, nobody asks again
        proxy.end()
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as again:
        await rolled_back(proxy)
        await again.reached(100)
    assert {answer.side for answer in again.answers[-40:]} == {"legacy"}
    assert await proxy.stop() == 0
    await proxy.start()
    assert (await proxy.route())["phase"] == "ROLLED_BACK"
    assert (await proxy.route())["weight_configured"] == 10


async def test_a_step_goes_on_after_a_restart(stage: Stage) -> None:
    """What was seen on it counts on: the gate needs as much as before, and no more."""
    proxy = stage.proxy(requests=200)
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as load:
        await at_weight(proxy, 10)
        await load.reached(400)
    seen = -1
    while seen != (told := await waits_for_requests(proxy)):  # until workers have told the rest
        seen = told
        await asyncio.sleep(0.5)
    assert 0 < seen < 200
    assert await proxy.stop() == 0
    await proxy.start()
    assert await waits_for_requests(proxy) == seen
    async with under_load(Load(proxy.port, clients=40)):
        await at_weight(proxy, 50)


async def waits_for_requests(proxy: Proxy) -> int:
    """Give how many requests the step still needs."""
    told = [wait for wait in (await proxy.route())["progress"]["waits"] if "requests" in wait]
    return int(told[0].split()[0].replace(",", "")) if told else 0


async def test_a_hand_on_the_wheel(stage: Stage) -> None:
    """Held, the plan stands still; the second of two operators is told; resumed, it goes on."""
    proxy = stage.proxy()
    await proxy.start()
    version = str((await proxy.status())["version"])
    held = await proxy.cli("hold", "orders", "--reason", "the billing run", "--if-version", version)
    assert held.code == 0, held.err
    late = await proxy.cli(
        "advance", "orders", "--force", "--reason", "now", "--if-version", version
    )
    assert late.code == 1
    assert "the billing run" in late.err
    async with under_load(Load(proxy.port, clients=40)) as load:
        await load.reached(500)
        assert (await proxy.route())["weight_in_force"] == 0
        shown = await proxy.cli("routes", "orders")
        assert "on hold" in shown.out
        assert "the billing run" in shown.out
        resumed = await proxy.cli("resume", "orders", "--reason", "it went well")
        assert resumed.code == 0, resumed.err
        await at_weight(proxy, 50)
    assert load.failed == []


async def test_it_resumes_by_itself_as_often_as_allowed(stage: Stage, modern: App) -> None:
    """After its cool-down, from the first step; and a third time it waits for a person."""
    proxy = stage.proxy(hold="1h", cooldown="1s")
    rules = proxy.rules.read_text()
    proxy.rules.write_text(rules.replace("cooldown: 1s", "cooldown: 1s, auto_resume: 1"))
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)):
        await at_weight(proxy, 10)
        modern.failing = 1.0
        await rolled_back(proxy)
        modern.failing = 0.0
        await at_weight(proxy, 10)
        modern.failing = 1.0
        await rolled_back(proxy)
    [resumed] = await proxy.decisions("resume")
    assert (resumed["author"], resumed["evidence"]["weight"]) == ("plan", 0)
    told = (await proxy.route())["verdict_reason"]
    assert told.startswith("rolled back after resuming by itself 1 of 1 times; waits to be resumed")


async def test_another_policy_is_played_on_what_was_recorded(stage: Stage) -> None:
    """What was seen until the controller ended is kept, and tells what a stricter plan had done."""
    proxy = stage.proxy(hold="1h")
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as load:
        await at_weight(proxy, 10)
        await load.reached(200)
    assert await proxy.stop() == 0
    await proxy.start()
    policy = proxy.folder / "stricter.yaml"
    written = proxy.rules.read_text().replace("weight: 10%  # moves", "weight: 0%  # moves")
    policy.write_text(written.replace("compared: 60", "compared: 100000"))
    arguments = ("simulate", "--from", "2020-01-01", "--policy")
    stricter = await proxy.cli(*arguments, str(policy))
    assert stricter.code == 0, stricter.err
    assert "no step and no rollback" in stricter.out
    assert "more comparisons" in stricter.out
    policy.write_text(written)
    same = await proxy.cli(*arguments, str(policy), "--route", "orders", "--json")
    assert [move["after"] for move in same.json()["moves"]] == [1000]


@pytest.fixture
def moved_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Give a way to move the wall clock of proxies that are started from now on, by seconds."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    assert compiler, "a C compiler is needed to move the clock of a program"
    library, offset = tmp_path / "clock.so", tmp_path / "offset"
    source = Path(__file__).parents[1] / "clock.c"
    subprocess.run([compiler, "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl"], check=True)
    offset.write_text("0")
    monkeypatch.setenv("LD_PRELOAD", str(library))
    monkeypatch.setenv("TEST_CLOCK", str(offset))

    def move(seconds: int) -> None:
        fresh = tmp_path / "fresh"
        fresh.write_text(str(seconds))
        fresh.replace(offset)

    return move


async def test_a_clock_set_back_an_hour_changes_nothing(
    stage: Stage, modern: App, moved_clock: Callable[[int], None]
) -> None:
    """Steps are taken, a breach is taken back and a cool-down ends as if nothing had been."""
    proxy = stage.proxy(hold="2s", cooldown="2s")
    await proxy.start()
    async with under_load(Load(proxy.port, clients=40)) as load:
        await at_weight(proxy, 10)
        before = (await proxy.status())["at"]
        moved_clock(-3600)

        async def set_back() -> bool:
            return bool((await proxy.status())["at"] < before)

        await eventually_async(set_back, 30, "the proxy sees the other time")
        await at_weight(proxy, 50)
        modern.failing = 1.0
        await rolled_back(proxy)
        moved_clock(3600)
        refused = await proxy.cli("resume", "orders", "--reason", "at once")
        modern.failing = 0.0

        async def resumed() -> bool:
            return (await proxy.cli("resume", "orders", "--reason", "mended")).code == 0

        await eventually_async(resumed, 30, "the cool-down of two seconds ends")
        await at_weight(proxy, 90)
    assert "its cool-down lasts another" in refused.err
    assert load.failed == []
