"""The command line against a running proxy: what it does, what it prints, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, bucket, rules_between

COMMANDS = ("serve", "check", "explain", "routes", "set-weight", "rollback", "resume", "diffs")
WHY = ("--reason", "a rehearsal")


@pytest.fixture
async def proxy(legacy: App, modern: App, make_proxy: Callable[..., Proxy]) -> Proxy:
    """Give a running proxy whose applications do not quite agree."""
    modern.body = b'{"orders": {}}'
    proxy = make_proxy(rules_between(legacy.port, modern.port, mirror="100%"))
    await proxy.start()
    return proxy


@dataclass(frozen=True)
class Ends:
    """How a command ends: exit code, and a word of what it prints (errors go to stderr)."""

    command: tuple[str, ...]
    code: int
    word: str


async def test_every_command_explains_itself(make_proxy: Callable[..., Proxy]) -> None:
    """--help names what it takes, shows examples, and needs no running proxy."""
    proxy = make_proxy(rules_between(8081, 8082))
    said = await asyncio.gather(*(proxy.cli(name, "--help") for name in COMMANDS))
    for name, one in zip(COMMANDS, said, strict=True):
        assert one.code == 0
        assert f"usage: cutover {name}" in one.out
        assert f"examples:\n  cutover {name}" in one.out
    overview = await proxy.cli("--help")
    assert set(overview.out.split()) >= set(COMMANDS)
    assert "exit codes:" in overview.out


async def test_a_night_shift(proxy: Proxy) -> None:
    """Look, explain, raise, see differences, take back, resume: each step shows in the next."""
    async with under_load(Load(proxy.port, clients=4)) as load:
        await load.reached(200)
        assert (await proxy.cli("routes", "orders")).out.count("50% in force") == 1
        raised = await proxy.cli("set-weight", "orders", "60%", "--json", *WHY)
        assert raised.code == 0, raised.err
        await proxy.settled(raised.json()["number"])
        for person in (f"person-{number}" for number in range(8)):
            header = f"Cookie: visitor={person}"
            told = await proxy.cli("explain", "GET", "/orders", "-H", header, "--json")
            side = "modern" if bucket(person) < 6000 else "legacy"
            assert (told.json()["side"], told.json()["bucket"]) == (side, bucket(person))
        await eventually_async(lambda: _differences(proxy), what="a difference is stored")
        assert "$.orders" in (await proxy.cli("diffs", "--route", "orders")).out

        back = await proxy.cli("rollback", "orders", *WHY)
        assert (back.code, "rolled back" in back.out) == (0, True)
        told = await proxy.cli("routes", "--json")
        (route,) = [one for one in told.json()["routes"] if one["id"] == "orders"]
        assert (route["phase"], route["weight_in_force"]) == ("ROLLED_BACK", 0)
        assert route["rolled_back"]["reason"] == "a rehearsal"
        resumed = await proxy.cli("resume", "orders", "--weight", "5%", "--json", *WHY)
        assert resumed.code == 0, resumed.err
        assert (await proxy.route())["weight_in_force"] == 5
    assert load.failed == []
    assert "weight: 5%" in proxy.rules.read_text()


async def _differences(proxy: Proxy) -> bool:
    return bool((await proxy.cli("diffs", "--json")).json()["differences"])


async def test_exit_codes_tell_scripts_what_happened(proxy: Proxy) -> None:
    """0 done, 1 refused, 2 not understood, 3 nobody there; the reason goes to stderr."""
    version = (await proxy.status())["version"]
    nobody = ("--admin", "http://127.0.0.1:9")
    serve = ("serve", "--admin-listen", "127.0.0.1:0", "--listen")
    table = (
        Ends(("check", str(proxy.rules)), 0, "is valid"),
        Ends(("check", str(proxy.folder / "none.yaml")), 1, "cannot be read"),
        Ends(("explain", "GET", "/orders"), 0, "client_ip=127.0.0.1"),
        Ends(("explain", "GET", "/orders", *nobody), 3, "127.0.0.1:9"),
        Ends(("explain", "GET", "/orders", "-H", "nonsense"), 2, "NAME: VALUE"),
        Ends(("routes",), 0, "orders.write"),
        Ends(("routes", "nowhere"), 1, "nowhere"),
        Ends(("routes", *nobody), 3, "127.0.0.1:9"),
        Ends(("set-weight", "orders", "101%", *WHY), 1, "percentage"),
        Ends(("set-weight", "orders", "5%"), 2, "--reason"),
        Ends(("set-weight", "orders", "5%", "--if-version", str(version + 7), *WHY), 1, "version"),
        Ends(("resume", "orders", *WHY), 1, "nothing to resume"),
        Ends(("rollback", "nowhere", *WHY), 1, "nowhere"),
        Ends(("diffs", "show", "0123456789abcdef"), 1, "0123456789abcdef"),
        Ends(("diffs", "--limit", "many"), 1, "limit"),
        Ends(("serve", "--workers", "0"), 2, "--workers"),
        Ends((*serve, f"127.0.0.1:{proxy.port}"), 2, "--listen"),
    )
    said = [await proxy.cli(*one.command) for one in table]
    assert [(one.command, s.code) for one, s in zip(table, said, strict=True)] == [
        (one.command, one.code) for one in table
    ]
    for one, s in zip(table, said, strict=True):
        assert one.word in (s.err if one.code else s.out), one.command
    refused = await proxy.cli("set-weight", "nowhere", "5%", "--json", *WHY)
    assert (refused.code, refused.json()["status"]) == (1, 404)  # JSON on stdout all the same
    checked = await proxy.cli("check", "--json", str(proxy.rules))
    assert [one["id"] for one in checked.json()["routes"]] == ["orders", "orders.write", "rest"]
    assert (await proxy.status())["version"] == version
