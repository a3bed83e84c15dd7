"""Mirroring both ways, within its budget, with clients that give up and a worker that dies."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

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
