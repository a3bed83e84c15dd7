"""`cutover upgrade`: the program is replaced under load, or it is not, and no client can tell."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from deploy.stack.ports import free_ports
from tests.support import eventually_async
from tests.support_app import App
from tests.support_certificates import make_certificate
from tests.support_load import Door, Load, ask_once, reads, under_load, writes
from tests.support_proxy import Plain, Proxy, rules_between

OTHER_EACH_TIME = """
import sys
from pathlib import Path
from proxy.__main__ import main
sys.exit(main([*sys.argv[2:], "--workers", Path(sys.argv[1]).read_text()]))
"""
"""A program that has changed: as many workers as a file says by now."""


async def upgraded(proxy: Proxy) -> Plain:
    """Replace the program; gives what was told of the old one and the new."""
    said = await proxy.cli("upgrade", "--state", str(proxy.state), "--json")
    assert said.code == 0, said
    [told] = said.json()["upgrades"]
    assert isinstance(told, dict)
    return told


@pytest.mark.timeout(240)  # three new programs start under load
async def test_nobody_notices_upgrades_nor_one_that_fails(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy], tmp_path: Path
) -> None:
    """Not one refused, reset, cut or repeated; what was decided before is in force after it.

    At three kinds of listener, on connections that are kept and on new ones. First with a rules
    file that is broken, which the new program refuses, then for good: to more workers, and to fewer
    than there were.
    """
    rules = rules_between(legacy.port, modern.port) + "trusted_networks: [127.0.0.1/32]\n"
    made, (plain, tls, proxied) = make_certificate(tmp_path), free_ports(3)
    doors = f"127.0.0.1:{plain},127.0.0.1:{tls};tls,127.0.0.1:{proxied};proxy"
    certificate = ("--tls-certificate", str(made.certificate), "--tls-key", str(made.key))
    proxy = make_proxy(rules, "--listen", doors, *certificate)
    workers = tmp_path / "workers"
    proxy.program = ("-c", OTHER_EACH_TIME, str(workers))

    def next_time(number: int) -> None:
        workers.write_text(str(number))
        proxy.roles = ["shadow", *["worker"] * number]

    next_time(2)
    await proxy.start()
    await proxy.send("POST", "/routes/orders/rollback")
    version = (await proxy.status())["version"]
    first = proxy.pid
    legacy.delay = modern.delay = 0.05  # leaves the machine some time for the new program
    secure = Door(tls, tls=made.client())
    behind = Door(proxied, b"PROXY TCP4 192.0.2.7 127.0.0.1 5000 80\r\n")
    kept = Load(plain, clients=6)
    placing = [
        Load(plain, clients=2, make=writes, kept=False),
        Load(secure, clients=3, make=writes),
        Load(secure, clients=1, make=writes, kept=False),
        Load(behind, clients=1, make=writes, kept=False),
    ]

    async def all_go_on() -> None:
        for load in (kept, *placing):
            await load.reached(10)

    async with AsyncExitStack() as stack:
        for load in (kept, *placing):
            await stack.enter_async_context(under_load(load))
        await all_go_on()
        proxy.write_rules(rules.replace("weight: 50%", "wait: 50%"))
        refused = await proxy.cli("upgrade", "--state", str(proxy.state))
        assert refused.code == 1, refused
        assert "goes on as it was" in refused.err
        assert "wait" in refused.err
        await all_go_on()

        proxy.write_rules(rules)
        next_time(3)
        told = await upgraded(proxy)
        assert told["old"]["pid"] == first
        await all_go_on()
        assert await proxy.ended() == 0, "the old one ends when it has served everybody"
        await proxy.settled()

        next_time(1)
        second, told = told["new"]["pid"], await upgraded(proxy)
        assert told["old"]["pid"] == second
        await all_go_on()

        async def gone() -> bool:
            return bool((await proxy.settled())["retiring"] == 0)

        await eventually_async(gone, 30, "the workers of before have ended")
        await all_go_on()
        status = await proxy.settled()
    for load in (kept, *placing):
        assert load.failed == []
        assert {answer.status for answer in load.answers} == {200}
    orders = legacy.keys + modern.keys
    assert set(orders.values()) == {1}
    assert set(orders) == {answer.request.key for load in placing for answer in load.answers}
    assert int((proxy.state / "supervisor.pid").read_text()) == told["new"]["pid"]
    assert status["version"] >= version
    assert (await proxy.route())["phase"] == "ROLLED_BACK"
    assert {answer.side for answer in kept.answers} == {"legacy"}
    assert {seen.headers["x-forwarded-for"] for seen in legacy.seen} == {"127.0.0.1", "192.0.2.7"}


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
