"""Any part of the product dies under load, or loses its disk, and clients notice nothing."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load, writes
from tests.support_proxy import Proxy, rules_between

CLIENTS = 24


@pytest.fixture
async def proxy(legacy: App, modern: App, make_proxy: Callable[..., Proxy]) -> Proxy:
    """Give a running proxy that mirrors everything."""
    proxy = make_proxy(rules_between(legacy.port, modern.port, mirror="100%"))
    await proxy.start()
    return proxy


async def stored(proxy: Proxy) -> int:
    """Count the pairs whose comparison stands in the store."""
    return sum(one["eligible"] for one in (await proxy.get("/coverage"))["coverage"])


async def more_are_stored(proxy: Proxy) -> None:
    """Wait until comparisons are being stored, from now on."""
    before: int | None = None

    async def grown() -> bool:
        nonlocal before
        now = await stored(proxy)
        before = min(now, now if before is None else before)
        return now > before

    await eventually_async(grown, 30, "comparisons are stored")


async def replaced(proxy: Proxy, role: str, dead: int) -> None:
    """Wait until another process has the place of a dead one, and all versions are equal."""

    async def another() -> bool:
        pids = await proxy.pids(role)
        return bool(pids) and dead not in pids

    await eventually_async(another, 30, f"another {role} runs")
    await proxy.settled()


async def test_the_controller_is_killed(proxy: Proxy) -> None:
    """Clients are served meanwhile, and what the next controller decides is obeyed."""
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await more_are_stored(proxy)
        version = (await proxy.status())["version"]
        (dead,) = await proxy.pids("controller")
        os.kill(dead, signal.SIGKILL)
        await load.reached(500)
        await replaced(proxy, "controller", dead)
        assert (await proxy.status())["version"] == version
        await proxy.set_weight("100%")
        seen = len(load.answers)
        await load.reached(500)
        await more_are_stored(proxy)
    assert load.failed == []
    assert {answer.side for answer in load.answers[seen + CLIENTS :]} == {"modern"}


async def test_the_controller_stays_away(proxy: Proxy) -> None:
    """A stopped controller holds nobody up, and hears everything once it goes on."""
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        (pid,) = await proxy.pids("controller")
        os.kill(pid, signal.SIGSTOP)
        try:
            await load.reached(2000)
        finally:
            os.kill(pid, signal.SIGCONT)
        await proxy.set_weight("0%")
        seen = len(load.answers)
        await load.reached(200)
    assert load.failed == []
    assert {answer.side for answer in load.answers[seen + CLIENTS :]} == {"legacy"}


async def test_the_shadow_worker_is_killed_and_stopped(proxy: Proxy) -> None:
    """Captures are dropped and counted; comparisons go on with the next shadow worker."""
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await more_are_stored(proxy)
        (dead,) = await proxy.pids("shadow")
        os.kill(dead, signal.SIGSTOP)
        await load.reached(1000)
        os.kill(dead, signal.SIGKILL)
        await load.reached(500)
        await replaced(proxy, "shadow", dead)
        await more_are_stored(proxy)
    assert load.failed == []


async def test_a_data_plane_worker_is_killed(proxy: Proxy) -> None:
    """Each of its connections may lose the one request in flight; nobody else loses anything.

    The listening socket outlives its worker in the supervisor, so new connections wait for the
    next worker and are not refused.
    """
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await load.reached(500)
        dead = (await proxy.pids("worker"))[0]
        seen = len(load.answers)
        os.kill(dead, signal.SIGKILL)
        await replaced(proxy, "worker", dead)
        mended = len(load.answers)
        await load.reached(1000)
        await proxy.set_weight("0%")
        await load.reached(200)
        await more_are_stored(proxy)
    lost = [answer.identity for answer in load.failed]
    assert len(lost) == len(set(lost)) < CLIENTS
    assert {answer.status for answer in load.failed} <= {0}
    assert all(not a.good for a in load.failed)
    assert [a for a in load.answers[:seen] + load.answers[mended:] if not a.good] == []
    assert {answer.side for answer in load.answers[-CLIENTS:]} == {"legacy"}


async def test_every_child_is_killed_in_turn(proxy: Proxy, legacy: App, modern: App) -> None:
    """Whatever dies comes back with the newest rules, and no write is done twice."""
    async with under_load(Load(proxy.port, CLIENTS, make=writes)) as load:
        for number, role in enumerate(("worker", "controller", "shadow", "worker", "controller")):
            await load.reached(100)
            dead = (await proxy.pids(role))[-1]
            os.kill(dead, signal.SIGKILL)
            await replaced(proxy, role, dead)
            await proxy.set_weight(f"{number * 20}%", "orders.write")
    assert len(load.failed) <= 2 * CLIENTS
    assert {answer.status for answer in load.failed} <= {0}
    assert set((legacy.keys + modern.keys).values()) == {1}


async def test_the_store_is_deleted(proxy: Proxy) -> None:
    """The file of the store goes away under load; decisions and comparisons are kept anew."""
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await more_are_stored(proxy)
        await proxy.set_weight("30%")
        for file in proxy.state.glob("cutover.db*"):
            file.unlink()
        await load.reached(500)
        version = await proxy.set_weight("40%")
        await more_are_stored(proxy)
        assert proxy.state.joinpath("cutover.db").exists()
        await eventually_async(lambda: _no_problem(proxy), what="the store is well")
    assert load.failed == []
    kept = [one["number"] for one in (await proxy.get("/versions"))["versions"]]
    assert kept == sorted(range(1, version + 1), reverse=True)


async def test_the_whole_state_directory_is_deleted(proxy: Proxy) -> None:
    """Even the sockets are gone: clients are served, and steered as long as processes live."""
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await load.reached(300)
        for file in proxy.state.iterdir():
            file.unlink()
        await load.reached(500)
        await proxy.set_weight("0%")
        seen = len(load.answers)
        await load.reached(300)
    assert load.failed == []
    assert {answer.side for answer in load.answers[seen + CLIENTS :]} == {"legacy"}


async def test_the_disk_is_full(proxy: Proxy) -> None:
    """No process can write a byte: clients are served, decisions hold, and are stored later."""
    children = [
        pid for role in ("controller", "shadow", "worker") for pid in await proxy.pids(role)
    ]
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await more_are_stored(proxy)
        for pid in children:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
        await load.reached(500)
        await proxy.send("POST", "/routes/orders/rollback")
        await eventually_async(lambda: _problem(proxy), what="the trouble is told")
        seen = len(load.answers)
        await load.reached(500)
        for pid in children:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        await eventually_async(lambda: _no_problem(proxy), 30, "the store is well again")
        await more_are_stored(proxy)
    assert load.failed == []
    assert {answer.side for answer in load.answers[seen + CLIENTS :]} == {"legacy"}
    assert {*await proxy.pids("controller"), *await proxy.pids("worker")} <= set(children)
    await proxy.stop()
    proxy.launch()
    await proxy.settled()
    assert (await proxy.route())["phase"] == "ROLLED_BACK"


async def _problem(proxy: Proxy) -> bool:
    return (await proxy.status())["store_problem"] is not None


async def _no_problem(proxy: Proxy) -> bool:
    return (await proxy.status())["store_problem"] is None
