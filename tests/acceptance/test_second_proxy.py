"""A second `cutover serve` beside a running one: it is told why not, and the first goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, rules_between


async def test_a_second_one_on_the_same_state_directory_is_refused(
    proxy_between: Proxy, legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """Its workers would take the places of the first one's; it ends at once and says so."""
    first = proxy_between
    second = make_proxy(rules_between(legacy.port, modern.port))
    second.state = first.state
    before = {one["pid"] for one in (await first.status())["workers"]}
    async with under_load(Load(first.port)) as load:
        second.launch()
        assert await second.ended() == 2
        await load.reached(200)
    assert load.failed == []
    assert f"--state {first.state}" in second.log.read_text()
    assert {one["pid"] for one in (await first.settled())["workers"]} == before


async def test_a_second_one_on_the_same_port_is_refused(
    proxy_between: Proxy, legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """With SO_REUSEPORT it would silently take half of the clients."""
    first = proxy_between
    second = make_proxy(rules_between(legacy.port, modern.port, "0%"))
    second.port = first.port
    async with under_load(Load(first.port)) as load:
        second.launch()
        assert await second.ended() == 2
        await load.reached(200)
    assert load.failed == []
    assert f"127.0.0.1:{first.port}" in second.log.read_text()


async def test_after_a_killed_supervisor_the_next_one_starts(proxy_between: Proxy) -> None:
    """No orphan holds the ports or the state directory, and the routing is the one before."""
    proxy = proxy_between
    version = await proxy.set_weight("30%")
    os.kill(proxy.pid, signal.SIGKILL)
    assert await proxy.ended() == -signal.SIGKILL
    await proxy.start()
    assert (await proxy.status())["version"] == version
    assert (await proxy.route())["weight_in_force"] == 30
