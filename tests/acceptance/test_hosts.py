"""Two hosts with one routing: the acting one stands still, the other acts, nothing goes back."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.stack.postgres import Postgres
from deploy.stack.redis import Redis
from tests.support import eventually_async
from tests.support_app import App
from tests.support_proxy import PATIENCE, Proxy, rules_between

WHO = {"author": "ada", "reason": "a story"}


@pytest.fixture
def hosts(
    redis_server: Redis,
    postgres_server: Postgres,
    legacy: App,
    modern: App,
    make_proxy: Callable[..., Proxy],
    tmp_path: Path,
) -> list[Proxy]:
    """Give two hosts with directories of their own, not started."""
    store = postgres_server.create_database("hosts", replace=True).sqlalchemy_url
    bus = f"{redis_server.url()}?prefix={tmp_path.name}"
    shared = ("--bus", bus, "--store", store, "--shadow-workers", "0")
    rules = rules_between(legacy.port, modern.port)
    return [make_proxy(rules, *shared, "--host", name) for name in ("web1", "web2")]


def share_keys_but_one(proxy: Proxy, number: int) -> None:
    """Leave the keys in the state directory as an operator copies them who forgets one."""
    proxy.state.mkdir(mode=0o700)
    for name in ("mint.key", "override.key", "shadow.key"):
        (proxy.state / name).write_bytes(b"k" * 32)
    (proxy.state / "redaction.key").write_bytes(bytes([number]) * 32)


async def told(proxy: Proxy) -> dict[str, Any]:
    """Give a host's status."""
    return await proxy.get("/status")


async def acting(proxies: list[Proxy]) -> tuple[Proxy, list[Proxy]]:
    """Wait until one of these acts, by its own word; gives it, and the others."""
    found: list[Proxy] = []

    async def one_acts() -> bool:
        states = [(each, await told(each)) for each in proxies]
        found[:] = [each for each, state in states if state["acting"] == state["host"]]
        return len(found) == 1

    await eventually_async(one_acts, PATIENCE, "a host acts")
    return found[0], [each for each in proxies if each is not found[0]]


async def everywhere(proxy: Proxy, version: int, hosts: int = 2) -> None:
    """Wait until the workers of all hosts serve by a version, as the acting host sees them."""

    async def all_do() -> bool:
        state = await told(proxy)
        workers = [each for each in state["workers"] if each["role"] == "worker"]
        serving = [each for each in workers if each["connected"] and each["version"] == version]
        return len(serving) == 2 * hosts

    await eventually_async(all_do, PATIENCE, f"every worker has version {version}")


async def ask(proxy: Proxy, method: str, path: str, **more: Any) -> httpx.Response:
    """Ask for a change."""
    async with httpx.AsyncClient(base_url=proxy.admin_url, timeout=PATIENCE) as client:
        return await client.request(method, f"/api/v1{path}", json={**WHO, **more})


async def test_another_takes_over_and_what_was_done_stays(hosts: list[Proxy]) -> None:
    """A change reaches every host; a rollback survives its author, who wakes up as a follower."""
    for number, proxy in enumerate(hosts):
        share_keys_but_one(proxy, number)
        proxy.launch()
    first, [second] = await acting(hosts)
    await everywhere(first, 1)
    changed = await ask(first, "PUT", "/routes/orders/weight", weight="60%")
    assert changed.json()["number"] == 2
    await everywhere(first, 2)
    assert "weight: 60%" in second.rules.read_text()  # so that it has it when it acts

    async def knows_who_acts() -> bool:
        acting_there, name = (await told(second))["acting"], (await told(first))["host"]
        return bool(acting_there == name)

    await eventually_async(knows_who_acts, PATIENCE, "the other host knows who acts")
    warning = f"warning: {(await told(second))['host']}: its redaction.key is not that of"
    for asked in hosts:
        shown = await asked.cli("hosts")
        assert warning in shown.err
        assert "mint.key" not in shown.err
    [orders] = [route for route in (await told(second))["routes"] if route["id"] == "orders"]
    assert (await told(second))["measured"] is False
    assert first.admin_url in orders["verdict_reason"]
    elsewhere = await ask(second, "PUT", "/routes/orders/weight", weight="70%")
    assert elsewhere.status_code == 421
    assert elsewhere.json()["url"] == first.admin_url
    assert (await ask(first, "POST", "/routes/orders/rollback")).status_code == 200

    os.killpg(first.pid, signal.SIGSTOP)
    successor, _ = await acting([second])
    state = await told(successor)
    assert (state["version"], state["token"]) == (3, 2)
    [orders] = [route for route in state["routes"] if route["id"] == "orders"]
    assert orders["weight_in_force"] == 0
    killed = await ask(successor, "PUT", "/kill-switch", on=True)
    assert killed.status_code == 200, killed.text
    assert killed.json()["number"] == 4
    await everywhere(successor, 4, hosts=1)

    os.killpg(first.pid, signal.SIGCONT)
    await everywhere(successor, 4)
    late = await ask(first, "PUT", "/routes/orders/weight", weight="80%")
    assert (late.status_code, late.json()["acting"]) == (421, state["host"])
    told_by_first = await told(first)
    assert (told_by_first["version"], told_by_first["acting"]) == (4, state["host"])
