"""Writes are mirrored to a successor that takes part; to one that does not, one is."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import ask_once, writes
from tests.support_proxy import Plain, Proxy, rules_between

ROUTE = "orders.write"


def mirrored(modern: App) -> int:
    """Count the mirrored writes that modern was sent."""
    return sum(seen.mirrored and seen.method == "POST" for seen in modern.seen)


async def order(proxy: Proxy, number: int) -> None:
    """Have so many customers place an order at once; each is served by legacy."""
    asked = (ask_once(proxy.port, f"person-{each}", writes()) for each in range(number))
    answers = await asyncio.gather(*asked)
    assert {(answer.status, answer.side) for answer in answers} == {(200, "legacy")}


async def halted(proxy: Proxy) -> Plain:
    """Wait until the writes of the route are halted, everywhere; gives what is said of it."""

    async def said() -> Plain | None:
        halt: Plain | None = (await proxy.route(ROUTE))["writes_halted"]
        return halt

    found = await eventually_async(said, what="writes are halted")
    await proxy.settled()
    assert found is not None
    return found


async def captures(proxy: Proxy) -> float:
    """Count the captures that data plane workers have sent."""
    lines = (await proxy.text("/metrics")).splitlines()
    [line] = [one for one in lines if one.startswith("cutover_captures_sent_total ")]
    return float(line.split()[1])


async def test_from_the_first_write_to_the_death_of_a_worker(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """One to an application that does not take part; then all, in turn; then none any more."""
    rules = rules_between(legacy.port, modern.port, weight="0%").replace(
        "path: /orders}\n    weight: 0%\n  - id: rest",
        "path: /orders}\n    weight: 0%\n    mirror: {share: 100%, writes: dry_run}\n  - id: rest",
    )
    proxy = make_proxy(rules, "--shadow-workers", "2")
    proxy.roles.insert(0, "shadow")
    await proxy.start()

    # Modern knows nothing of mirrored writes.
    await order(proxy, 20)
    halt = await halted(proxy)
    assert "its answer (200) has no cutover-shadow-ack" in halt["reason"]
    assert mirrored(modern) == 1
    sent = await captures(proxy)
    await order(proxy, 5)
    await asyncio.sleep(0.3)
    assert (mirrored(modern), await captures(proxy)) == (1, sent)  # the data plane sends none
    shown = await proxy.cli("routes")
    assert f"writes are not mirrored any more: {ROUTE}" in shown.err
    assert f'cutover_writes_halted{{route="{ROUTE}"}} 1.0' in await proxy.text("/metrics")

    # Somebody resumes although nothing is mended.
    resume = ("resume-writes", ROUTE, "--reason", "a test")
    assert (await proxy.cli(*resume)).code == 0
    await proxy.settled()
    await order(proxy, 5)
    await halted(proxy)
    assert mirrored(modern) == 2

    # Now modern takes part.
    modern.shadow_key = (proxy.state / "shadow.key").read_bytes()
    assert (await proxy.cli(*resume)).code == 0
    await proxy.settled()
    await order(proxy, 10)

    async def all_compared() -> bool:
        found = (await proxy.route(ROUTE))["coverage"]
        return int(found["match"]) == 10

    await eventually_async(all_compared, what="10 matches")
    assert mirrored(modern) == 12

    # The workers die while modern carries one out: nobody knows what came of it.
    modern.delay = 5.0
    await order(proxy, 1)

    async def under_way() -> bool:
        return mirrored(modern) == 13

    await eventually_async(under_way, what="a write under way")
    dead = await proxy.pids("shadow")
    assert len(dead) == 2
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    modern.delay = 0.0

    async def replaced() -> bool:
        pids = await proxy.pids("shadow")
        return len(pids) == len(dead) and not set(pids) & set(dead)

    await eventually_async(replaced, what="other workers")
    await proxy.settled()
    await order(proxy, 10)
    await asyncio.sleep(0.5)
    assert mirrored(modern) == 13
    actions = [each["action"] for each in await proxy.decisions() if "writes" in each["action"]]
    assert actions == ["resume_writes", "halt_writes"] * 2
