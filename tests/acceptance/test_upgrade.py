"""`cutover upgrade`: the program is replaced under load, or it is not, and no client can tell."""

from __future__ import annotations

from collections.abc import Callable

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, ask_once, reads, under_load, writes
from tests.support_proxy import Proxy, rules_between


async def test_nobody_notices_an_upgrade_nor_one_that_fails(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """Not one refused, reset, cut or repeated; what was decided before is in force after it.

    First with a rules file that is broken, which the new program refuses, then for good.
    """
    rules = rules_between(legacy.port, modern.port)
    proxy = make_proxy(rules)
    await proxy.start()
    await proxy.send("POST", "/routes/orders/rollback")
    version = (await proxy.status())["version"]
    old = proxy.pid
    legacy.delay = modern.delay = 0.02  # leaves the machine some time for the new program
    kept = Load(proxy.port, clients=12)
    fresh = Load(proxy.port, clients=4, make=writes, kept=False)
    async with under_load(kept), under_load(fresh):
        await fresh.reached(50)
        proxy.write_rules(rules.replace("weight: 50%", "wait: 50%"))
        refused = await proxy.cli("upgrade", "--state", str(proxy.state))
        assert refused.code == 1, refused
        assert "goes on as it was" in refused.err
        assert "wait" in refused.err
        await fresh.reached(50)

        proxy.write_rules(rules)
        upgraded = await proxy.cli("upgrade", "--state", str(proxy.state), "--json")
        assert upgraded.code == 0, upgraded
        [told] = upgraded.json()["upgrades"]
        assert told["old"]["pid"] == old
        await fresh.reached(50)
        assert await proxy.ended() == 0, "the old one ends when it has served everybody"
        await fresh.reached(50)
        status = await proxy.settled()
    for load in (kept, fresh):
        assert load.failed == []
        assert {answer.status for answer in load.answers} == {200}
    assert set((legacy.keys + modern.keys).values()) == {1}
    assert int((proxy.state / "supervisor.pid").read_text()) == told["new"]["pid"] != old
    assert status["version"] >= version
    assert status["retiring"] == 0
    assert (await proxy.route())["phase"] == "ROLLED_BACK"
    assert {answer.side for answer in kept.answers} == {"legacy"}


async def test_the_kill_file_works_without_a_controller(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """Made by the command line, shown by a controller that comes back, and lifted by unkill."""
    proxy = make_proxy(rules_between(legacy.port, modern.port, weight="100%"))
    await proxy.start()
    assert (await ask_once(proxy.port, "ada", reads())).side == "modern"
    made = await proxy.cli("kill", "--state", str(proxy.state), "--reason", "no controller")
    assert made.code == 0, made

    async def served_by(side: str) -> bool:
        return (await ask_once(proxy.port, "ada", reads())).side == side

    await eventually_async(lambda: served_by("legacy"))

    async def shown() -> bool:
        status = await proxy.status()
        return status["kill_switch"] and "no controller" in status["kill_file"]

    await eventually_async(shown)
    assert "\ncutover_kill_switch 1.0\n" in await proxy.text("/metrics")
    [decision] = await proxy.decisions("kill")
    assert "no controller" in decision["reason"]
    explained = await proxy.cli("explain", "GET", "/orders", "-H", "Cookie: visitor=ada")
    assert "kill_switch" in explained.out
    assert (await proxy.cli("unkill", "--reason", "a test")).code == 0
    await eventually_async(lambda: served_by("modern"))
    assert not (proxy.state / "kill").exists()
