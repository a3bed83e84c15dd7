"""A second `cutover serve` beside a running one: it is told why not, and the first goes on."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, rules_between


async def test_what_the_first_one_holds_is_not_shared(
    proxy_between: Proxy, legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """State directory and port: its workers would pass for the first one's, and take clients."""
    first = proxy_between
    same_state = make_proxy(rules_between(legacy.port, modern.port))
    same_state.state = first.state
    same_port = make_proxy(rules_between(legacy.port, modern.port, "0%"))
    same_port.port = first.port
    before = {one["pid"] for one in (await first.status())["workers"]}
    async with under_load(Load(first.port)) as load:
        same_state.launch()
        same_port.launch()
        assert (await same_state.ended(), await same_port.ended()) == (2, 2)
        await load.reached(200)
    assert load.failed == []
    assert f"--state {first.state}" in same_state.log.read_text()
    assert f"127.0.0.1:{first.port}" in same_port.log.read_text()
    assert {one["pid"] for one in (await first.settled())["workers"]} == before


async def test_after_a_killed_supervisor_the_next_one_starts(proxy_between: Proxy) -> None:
    """No orphan holds the ports or the state directory, and the routing is the one before."""
    proxy = proxy_between
    version = await proxy.set_weight("30%")
    os.kill(proxy.pid, signal.SIGKILL)
    assert await proxy.ended() == -signal.SIGKILL
    await proxy.start()
    assert (await proxy.status())["version"] == version
    assert (await proxy.route())["weight_in_force"] == 30
