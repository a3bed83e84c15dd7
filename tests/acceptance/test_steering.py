"""What operators do at three in the morning, each thing while customers are being served."""

from __future__ import annotations

import asyncio

from tests.support_app import App, running_app
from tests.support_load import Load, Request, reads, under_load, writes
from tests.support_proxy import Proxy, bucket, rules_between

CLIENTS = 24


class Turns:
    """Reads and writes in turn."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self) -> Request:
        """Give the next request."""
        self._count += 1
        return writes() if self._count % 4 == 0 else reads()


async def test_the_kill_switch_moves_everybody_and_back(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """Kill sends all to legacy, whatever weights are set meanwhile; unkill lets the same back."""
    proxy = proxy_between
    async with under_load(Load(proxy.port, CLIENTS, Turns())) as load:
        await load.reached(500)
        killed = await proxy.cli("kill", "--json", "--reason", "prices are wrong")
        await proxy.settled(killed.json()["number"])
        seen = len(load.answers)
        await proxy.set_weight("100%")
        await proxy.set_weight("50%")
        await load.reached(500)
        calm = load.answers[seen + CLIENTS :]
        assert {answer.side for answer in calm} == {"legacy"}
        back = await proxy.cli("unkill", "--json", "--reason", "mended")
        await proxy.settled(back.json()["number"])
        seen = len(load.answers)
        await load.reached(1000)
    assert load.failed == []
    after = {
        answer.identity for answer in load.answers[seen + CLIENTS :] if answer.side == "modern"
    }
    assert after == {person for person in load.people if bucket(person) < 5000}
    assert set((legacy.keys + modern.keys).values()) == {1}


async def test_an_application_moves_to_another_port(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """An edit of the file names the new address; once it is in force the old one may be ended."""
    proxy = proxy_between
    load = Load(proxy.port, CLIENTS, Turns())
    async with running_app("modern-2") as moved, under_load(load):
        await load.reached(500)
        await proxy.edit_rules(rules_between(legacy.port, moved.port))
        await load.reached(2 * CLIENTS)
        modern.kill()
        seen = len(load.answers)
        await load.reached(500)
    assert load.failed == []
    served = {answer.headers["x-app"] for answer in load.answers[seen:]}
    assert served == {"legacy", "modern-2"}
    assert await proxy.decisions("rollback") == []


async def test_of_operators_who_race_one_wins(proxy_between: Proxy) -> None:
    """Six change the version that they all have seen: one succeeds, five are told of it."""
    proxy = proxy_between
    version = (await proxy.status())["version"]
    condition = ("--if-version", str(version), "--reason", "I was first")
    said = await asyncio.gather(
        *(proxy.cli("set-weight", "orders", f"{n}%", "--author", f"op-{n}", *condition)
          for n in range(1, 7))
    )  # fmt: skip
    assert sorted(one.code for one in said) == [0, 1, 1, 1, 1, 1]
    now = await proxy.status()
    assert now["version"] == version + 1
    winner = (await proxy.decisions("set_weight"))[0]["author"]
    refused = [one.err for one in said if one.code]
    assert all(winner in text for text in refused)
    assert f"weight: {winner.removeprefix('op-')}%" in proxy.rules.read_text()


async def test_a_change_by_the_api_keeps_what_people_wrote_in_the_file(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """Comments and layout stay; one value changes, and the file is the one in force."""
    proxy = proxy_between
    written = rules_between(legacy.port, modern.port).replace(
        "    weight: 50%\n", "    weight: 50%   # ask Ada before raising\n", 1
    )
    await proxy.edit_rules("# Night shift: read the runbook.\n" + written)
    await proxy.set_weight("55%")
    text = proxy.rules.read_text()
    assert text.startswith("# Night shift: read the runbook.\n")
    assert "weight: 55%   # ask Ada before raising\n" in text
    assert (await proxy.status())["rules_problem"] is None
