"""A rules file that cannot be used is refused with its place and reason, and does no harm."""

from __future__ import annotations

import json

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import PATIENCE, Proxy, rules_between

BROKEN = {
    "a key that does not exist": ("weight: 50%", "wieght: 50%", "wieght"),
    "a weight beyond its limits": ("weight: 50%", "weight: 150%", "150%"),
    "a route twice": ("id: orders.write", "id: orders", "orders"),
    "an upstream that is no address": ("http://127.0.0.1", "127.0.0.1", "http://"),
    "no YAML": ("version: 1", "version: [1", ""),
}


async def problem_of(proxy: Proxy) -> str | None:
    """Give what the status says of the file."""
    problem: str | None = (await proxy.status())["rules_problem"]
    return problem


@pytest.mark.parametrize("fault", BROKEN)
async def test_check_names_file_line_and_reason(make_folder: Proxy, fault: str) -> None:
    """`cutover check` exits with 1 and points at the line; --json says the same to scripts."""
    proxy = make_folder
    old, new, named = BROKEN[fault]
    text = rules_between(8081, 8082)
    proxy.rules.write_text(text.replace(old, new, 1))
    said = await proxy.cli("check", str(proxy.rules))
    assert said.code == 1
    line = 1 + text[: text.index(old)].count("\n")
    told = json.loads((await proxy.cli("check", "--json", str(proxy.rules))).out)
    assert told["valid"] is False
    (problem, *_) = told["problems"]
    assert problem["file"] == str(proxy.rules)
    if named:
        assert f"{proxy.rules}:{problem['line']}:" in said.err
        assert named in said.err
    assert problem["line"] >= line


async def test_the_running_proxy_keeps_the_last_good_rules(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """Broken five ways under load, restarted with a broken file, and mended: nobody notices."""
    proxy = proxy_between
    good = rules_between(legacy.port, modern.port)
    version = (await proxy.status())["version"]
    async with under_load(Load(proxy.port)) as load:
        for old, new, _ in BROKEN.values():
            proxy.write_rules(good.replace(old, new, 1))
            await eventually_async(lambda: problem_of(proxy), PATIENCE, "the problem is told")
            await load.reached(50)
            assert (await proxy.status())["version"] == version
            proxy.write_rules(good)

            async def mended() -> bool:
                return await problem_of(proxy) is None

            await eventually_async(mended, PATIENCE, "the mended file is taken")
        proxy.rules.unlink()
        await eventually_async(lambda: problem_of(proxy), PATIENCE, "a missing file is told")
        await load.reached(50)
    assert load.failed == []
    assert {*load.sides} == {"legacy", "modern"}

    proxy.write_rules(good.replace("weight: 50%", "wieght: 50%", 1))
    assert await proxy.stop() == 0
    await proxy.start()
    problem = await problem_of(proxy)
    assert problem is not None
    assert "wieght" in problem
    assert "wieght" in (await proxy.cli("routes")).err
    assert (await proxy.route())["weight_in_force"] == 50
    await proxy.edit_rules(rules_between(legacy.port, modern.port, "60%"))
    assert (await proxy.route())["weight_in_force"] == 60
    assert await problem_of(proxy) is None


async def test_a_first_start_with_a_bad_file_is_refused(make_folder: Proxy) -> None:
    """There is nothing to fall back on: it says why and exits with an error, and serves nobody."""
    proxy = make_folder
    proxy.rules.write_text(rules_between(8081, 8082).replace("weight", "wieght", 1))
    proxy.launch()
    assert await proxy.ended() != 0
    assert "wieght" in proxy.log.read_text()


@pytest.fixture
def make_folder(make_proxy: object) -> Proxy:
    """Give a proxy that has not been started."""
    assert callable(make_proxy)
    made = make_proxy(rules_between(8081, 8082))
    assert isinstance(made, Proxy)
    return made
