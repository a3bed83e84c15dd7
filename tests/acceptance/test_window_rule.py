"""The operator's limits for going back: error rate, latency, and how many requests it needs."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Plain, Proxy, rules_between

GOES_BACK = "rollback: {error_rate: 5%, p95: 5s,"


async def decided(proxy: Proxy, action: str = "rollback") -> Plain:
    """Wait for a decision and give it with its evidence."""

    async def found() -> Plain | None:
        decisions = await proxy.decisions(action)
        return decisions[0] if decisions else None

    decision = await eventually_async(found, 30, f"a {action} is decided")
    assert decision is not None
    return decision


@pytest.fixture
def make(make_proxy: Callable[..., Proxy], legacy: App, modern: App) -> Callable[..., Proxy]:
    """Give a way to make a proxy with its own limits."""

    def proxy(limits: str, extra: str = "") -> Proxy:
        text = rules_between(legacy.port, modern.port).replace(GOES_BACK, f"rollback: {{{limits},")
        first = "path: /orders}\n"
        return make_proxy(text.replace(first, f"{first}    {extra}\n", 1) if extra else text)

    return proxy


async def test_a_slow_modern_is_taken_back(make: Callable[..., Proxy], modern: App) -> None:
    """Answers take too long without one error; the decision says by how much, or how many did.

    With few good requests in the window it is the window rule, and with many the detector.
    """
    proxy = make("error_rate: 5%, p95: 100ms")
    await proxy.start()
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
        assert await proxy.decisions("rollback") == []
        modern.delay = 0.25
        decision = await decided(proxy)
    assert load.failed == []
    evidence = decision["evidence"]
    assert evidence["detector"] in ("p95", "t5")
    assert evidence["value"] > evidence["bound"]
    assert "100 ms" in decision["reason"]
    assert (await proxy.route())["phase"] == "ROLLED_BACK"


async def test_a_rate_above_the_limit_is_taken_back_by_the_window(
    make: Callable[..., Proxy], modern: App
) -> None:
    """A tenth of the answers fails where a twentieth is allowed, too few for a quick proof."""
    proxy = make("error_rate: 5%, p95: 5s", "fallback: false")
    await proxy.start()
    modern.failing = 0.1
    async with under_load(Load(proxy.port)) as load:
        decision = await decided(proxy)
    assert decision["evidence"]["detector"] in ("error_rate", "t2")
    assert {one.status for one in load.failed} <= {500}
    assert {one.side for one in load.failed} == {"modern"}


async def test_few_requests_prove_nothing(make: Callable[..., Proxy], modern: App) -> None:
    """Below min_requests no window is judged, however slow; one more, and it is."""
    proxy = make("error_rate: 5%, p95: 50ms")
    await proxy.start()
    await proxy.set_weight("100%")
    modern.delay = 0.15
    load = Load(proxy.port, clients=1)
    async with under_load(load):
        await load.reached(18)
    seen = (await proxy.route())["modern"]["requests"]
    assert seen < 20
    assert await proxy.decisions("rollback") == []
    more = Load(proxy.port, clients=1)
    async with under_load(more):
        decision = await decided(proxy)
    assert decision["evidence"]["n"] >= 20
    assert load.failed == more.failed == []


async def test_freeze_keeps_the_weight(make: Callable[..., Proxy], modern: App) -> None:
    """Where going back is worse than staying, a breach is told once and changes nothing."""
    proxy = make("error_rate: 5%, p95: 5s", "on_breach: freeze")
    await proxy.start()
    version = (await proxy.status())["version"]
    async with under_load(Load(proxy.port)) as load:
        await load.reached(300)
        modern.failing = 1.0
        decision = await decided(proxy, "freeze")
        asked = len(modern.seen)
        await load.reached(1000)
    assert load.failed == []
    assert len(await proxy.decisions("freeze")) == 1
    assert await proxy.decisions("rollback") == []
    assert decision["version"] == (await proxy.status())["version"] == version
    assert (await proxy.route())["weight_in_force"] == 50
    assert len(modern.seen) > asked
