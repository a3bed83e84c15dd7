"""Shadow workers behind a Redis stream: killed at any instant, and Redis with them."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis
from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, rules_between

CLIENTS = 12


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    """Give a Redis of our own."""
    server = Redis(tmp_path, free_ports(1)[0], tied=True)
    server.start()
    yield server
    server.stop()


async def metric(proxy: Proxy, name: str) -> dict[str, float]:
    """Give a metric by its labels."""
    found = re.findall(rf"^{name}(\{{.*\}})? (\S+)$", await proxy.text("/metrics"), re.MULTILINE)
    return {labels: float(value) for labels, value in found}


async def total(proxy: Proxy, name: str) -> float:
    """Add a metric up."""
    return sum((await metric(proxy, name)).values())


async def test_workers_and_redis_come_and_go(
    redis: Redis, legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """What a killed worker held is compared by the other; clients notice nothing of anything.

    And what they ask is recorded on their host, also what Redis never gets.
    """
    rules = rules_between(legacy.port, modern.port, mirror="100%")
    proxy = make_proxy(rules, "--shadow-workers", "2", "--bus", redis.url())
    proxy.roles = ["forwarder", "shadow", "shadow", "worker", "worker"]
    await proxy.start()
    begun = await proxy.send("POST", "/recording/start", reason="a test", author="ada")
    folder = proxy.state / "recordings" / begun["recording"]["id"]

    async def compared(more: int) -> None:
        before = await total(proxy, "cutover_comparisons_total")

        async def enough() -> bool:
            return await total(proxy, "cutover_comparisons_total") >= before + more

        await eventually_async(enough, 20, f"{more} more comparisons")

    async with under_load(Load(proxy.port, CLIENTS)) as load:
        await compared(60)
        dead = (await proxy.pids("shadow"))[0]
        os.kill(dead, signal.SIGSTOP)  # so that it holds some when it dies
        await compared(60)
        os.kill(dead, signal.SIGKILL)

        async def reclaimed() -> bool:
            return await total(proxy, "cutover_captures_reclaimed_total") > 0

        await eventually_async(reclaimed, 20, "what it held is taken over")
        redis.stop()
        await load.reached(100)

        async def counted() -> bool:
            dropped = await metric(proxy, "cutover_captures_dropped_total")
            return any("bus_gone" in labels and number > 0 for labels, number in dropped.items())

        await eventually_async(counted, what="what Redis did not get is counted")
        redis.start()
        await compared(60)
    assert load.failed == []

    async def quiet() -> bool:
        figures = {await total(proxy, f"cutover_capture_stream_{name}") for name in ("length",)}
        return figures == {0.0}

    await eventually_async(quiet, 20, "everything has been dealt with")
    forwarded = await total(proxy, "cutover_captures_forwarded_total")
    written = b"".join(file.read_bytes() for file in folder.glob("*.gor")).count(b" HTTP/1.1\r\n")
    assert written > forwarded > 150
    assert await proxy.stop() == 0
