"""Mirroring both ways, within its budget, with clients that give up and a worker that dies."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Client, Door, Load, Request, under_load
from tests.support_proxy import Proxy, rules_between

CLIENTS = 8


async def coverage(proxy: Proxy) -> dict[str, int]:
    """Give how captures of the route ended so far, `compared` among it."""
    for each in (await proxy.get("/coverage"))["coverage"]:
        if each["route"] == "orders":
            return {"compared": each["compared"], **each["not_compared"]}
    return {}


async def more(proxy: Proxy, what: str) -> None:
    """Wait until there is more of it in the report than now."""
    before = (await coverage(proxy)).get(what, 0)

    async def grown() -> bool:
        return (await coverage(proxy)).get(what, 0) > before

    await eventually_async(grown, 20, f"more {what}")


async def test_whoever_serves_the_other_is_compared(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """Before and after the cutover, by any shadow worker, and slow answers without clients."""
    rules = rules_between(legacy.port, modern.port, "0%", mirror="100%, rate: 40/s")
    proxy = make_proxy(rules, "--shadow-workers", "2")
    proxy.roles = ["shadow", "shadow", "worker", "worker"]
    await proxy.start()
    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await more(proxy, "compared")
        await more(proxy, "route_rate")  # what is over budget stands in the report
        assert {seen.mirrored for seen in modern.seen} == {True}
        await proxy.set_weight("100%")
        await load.reached(CLIENTS)  # those that were on their way
        served = len(legacy.seen), len(modern.seen)
        await more(proxy, "compared")
        os.kill((await proxy.pids("shadow"))[0], signal.SIGKILL)
        await more(proxy, "compared")
    assert {seen.mirrored for seen in legacy.seen[served[0] :]} == {True}
    assert False in {seen.mirrored for seen in modern.seen[served[1] :]}
    assert load.failed == []

    await proxy.settled()
    modern.delay = 1.0
    impatient = Client(Door(proxy.port), "impatient")
    asked = asyncio.create_task(impatient.ask(Request()))
    await asyncio.sleep(0.3)
    await impatient.close()
    asked.cancel()
    await more(proxy, "compared")


async def test_large_answers_are_compared_in_a_process_that_may_die(
    legacy: App, modern: App, proxy_between: Proxy
) -> None:
    """The next pairs are compared all the same, and it goes with its worker."""
    rows = [{"id": number, "name": f"order {number}"} for number in range(4_000)]
    legacy.body = json.dumps({"orders": rows}).encode()
    modern.body = json.dumps({"orders": [*rows[:-1], {"id": 3_999, "name": "another"}]}).encode()
    await proxy_between.edit_rules(rules_between(legacy.port, modern.port, "0%", mirror="100%"))
    (worker,) = await proxy_between.pids("shadow")
    async with under_load(Load(proxy_between.port, 2)) as load:
        await more(proxy_between, "compared")
        (aside,) = _children(worker)
        os.kill(aside, signal.SIGKILL)
        await more(proxy_between, "compared")
        (aside,) = _children(worker)
        assert await proxy_between.pids("shadow") == [worker]
        os.kill(worker, signal.SIGKILL)
        await more(proxy_between, "compared")
    assert load.failed == []
    await eventually_async(lambda: _is_gone(aside), 10, "it ends with its worker")
    (found,) = (await proxy_between.get("/differences"))["differences"]
    assert found["paths"] == ["$.orders[*].name"]


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


async def _is_gone(pid: int) -> bool:
    return not await asyncio.to_thread(Path(f"/proc/{pid}").exists)
