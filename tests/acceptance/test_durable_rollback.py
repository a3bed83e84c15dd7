"""A rollback stays, whatever happens to files and processes, until a person says resume."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.support_app import App
from tests.support_load import Load, ask_once, reads, under_load
from tests.support_proxy import Proxy, RefusedError, bucket, rules_between

ON_MODERN = next(name for name in map(str, range(99)) if bucket(name) < 100)


async def side_of(proxy: Proxy, identity: str = ON_MODERN) -> str:
    """Ask once; gives the side that served."""
    answer = await ask_once(proxy.port, identity, reads())
    assert answer.good, answer
    return answer.side


async def rolled_back_by_evidence(proxy: Proxy, modern: App) -> None:
    """Let modern fail until the route is taken back, and mend it."""
    modern.failing = 1.0
    async with under_load(Load(proxy.port)) as load:
        while (await proxy.route())["phase"] != "ROLLED_BACK":
            await load.reached(20)
    modern.failing = 0.0
    assert load.failed == []


@pytest.mark.parametrize(
    "lost", [(), ("cutover.db*",), ("snapshot.json",)], ids=["nothing", "store", "snapshot"]
)
async def test_it_outlives_a_restart(
    proxy_between: Proxy, modern: App, lost: tuple[str, ...]
) -> None:
    """Of the two memories, store and snapshot file, one is enough."""
    proxy = proxy_between
    assert await side_of(proxy) == "modern"
    await rolled_back_by_evidence(proxy, modern)
    (decision,) = await proxy.decisions("rollback")
    assert await proxy.stop() == 0
    for file in [path for pattern in lost for path in proxy.state.glob(pattern)]:
        file.unlink()
    await proxy.start()
    route = await proxy.route()
    assert (route["phase"], route["weight_configured"], route["weight_in_force"]) == (
        "ROLLED_BACK",
        50,
        0,
    )
    assert route["rolled_back"]["reason"] == decision["reason"]
    assert await side_of(proxy) == "legacy"


async def test_workers_that_start_while_there_is_no_controller_know_of_it(
    proxy_between: Proxy,
) -> None:
    """They read the snapshot file: nobody is sent to a side that was taken back."""
    proxy = proxy_between
    assert await side_of(proxy) == "modern"
    await proxy.settled((await proxy.send("POST", "/routes/orders/rollback"))["number"])
    (controller,) = await proxy.pids("controller")
    workers = await proxy.pids("worker")
    os.kill(controller, signal.SIGSTOP)
    for worker in workers:
        os.kill(worker, signal.SIGKILL)
    async with under_load(Load(proxy.port)) as load:
        await load.reached(500)
    os.kill(controller, signal.SIGCONT)
    assert load.failed == []
    assert {*load.sides} == {"legacy"}


async def test_an_edit_of_the_file_does_not_undo_it(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """Neither while it runs, nor while it is stopped; only `resume` does, and it uses the file."""
    proxy = proxy_between
    await rolled_back_by_evidence(proxy, modern)
    await proxy.edit_rules(rules_between(legacy.port, modern.port, "100%"))
    assert await side_of(proxy) == "legacy"
    with pytest.raises(RefusedError, match="resume it first"):
        await proxy.send("PUT", "/routes/orders/weight", weight="100%")

    assert await proxy.stop() == 0
    proxy.rules.write_text(rules_between(legacy.port, modern.port, "90%"))
    await proxy.start()
    route = await proxy.route()
    assert (route["phase"], route["weight_configured"]) == ("ROLLED_BACK", 90)
    assert await side_of(proxy) == "legacy"

    cooling = await proxy.cli("resume", "orders", "--reason", "mended")
    assert cooling.code == 1
    assert "cool-down" in cooling.err
    resumed = await proxy.cli("resume", "orders", "--force", "--reason", "mended")
    assert resumed.code == 0, resumed.err
    await proxy.settled()
    assert await side_of(proxy) == "modern"
    assert (await proxy.route())["weight_in_force"] == 90


async def test_a_resumed_route_stays_resumed(proxy_between: Proxy, modern: App) -> None:
    """The end of a rollback is as durable as the rollback; the journal tells both."""
    proxy = proxy_between
    await rolled_back_by_evidence(proxy, modern)
    await proxy.send("POST", "/routes/orders/resume", force=True, weight="25%")
    assert await proxy.stop() == 0
    _drop(proxy.state, "cutover.db*")
    await proxy.start()
    route = await proxy.route()
    assert (route["rolled_back"], route["weight_in_force"]) == (None, 25)
    assert await side_of(proxy) == "modern"


def _drop(folder: Path, pattern: str) -> None:
    for file in folder.glob(pattern):
        file.unlink()
