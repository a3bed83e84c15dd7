"""Writes are mirrored to a successor that takes part; to one that does not, one is."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Iterator

import httpx
import pytest

from deploy.stack import Stack
from tests.conftest import LegacyApp, ModernApp
from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import ask_once, writes
from tests.support_proxy import Plain, Proxy, rules_between

ROUTE = "orders.write"


def mirrored(modern: App) -> int:
    """Count the mirrored writes that modern was sent."""
    return sum(seen.mirrored and seen.method == "POST" for seen in modern.seen)


async def order(proxy: Proxy, number: int) -> None:
    """Have so many customers place an order at once; each is served by legacy."""
    asked = (ask_once(proxy.port, f"person-{each}", writes()) for each in range(number))
    answers = await asyncio.gather(*asked)
    assert {(answer.status, answer.side) for answer in answers} == {(200, "legacy")}


async def halted(proxy: Proxy) -> Plain:
    """Wait until the writes of the route are halted, everywhere; gives what is said of it."""

    async def said() -> Plain | None:
        halt: Plain | None = (await proxy.route(ROUTE))["writes_halted"]
        return halt

    found = await eventually_async(said, what="writes are halted")
    await proxy.settled()
    assert found is not None
    return found


async def captures(proxy: Proxy) -> float:
    """Count the captures that data plane workers have sent."""
    lines = (await proxy.text("/metrics")).splitlines()
    [line] = [one for one in lines if one.startswith("cutover_captures_sent_total ")]
    return float(line.split()[1])


async def test_from_the_first_write_to_the_death_of_a_worker(
    legacy: App, modern: App, make_proxy: Callable[..., Proxy]
) -> None:
    """One to an application that does not take part; then all, in turn; then none any more."""
    rules = rules_between(legacy.port, modern.port, weight="0%").replace(
        "path: /orders}\n    weight: 0%\n  - id: rest",
        "path: /orders}\n    weight: 0%\n    mirror: {share: 100%, writes: dry_run}\n  - id: rest",
    )
    proxy = make_proxy(rules, "--shadow-workers", "2")
    proxy.roles.insert(0, "shadow")
    await proxy.start()

    # Modern knows nothing of mirrored writes.
    await order(proxy, 20)
    halt = await halted(proxy)
    assert "its answer (200) has no cutover-shadow-ack" in halt["reason"]
    assert mirrored(modern) == 1
    sent = await captures(proxy)
    await order(proxy, 5)
    await asyncio.sleep(0.3)
    assert (mirrored(modern), await captures(proxy)) == (1, sent)  # the data plane sends none
    shown = await proxy.cli("routes")
    assert f"writes are not mirrored any more: {ROUTE}" in shown.err
    assert f'cutover_writes_halted{{route="{ROUTE}"}} 1.0' in await proxy.text("/metrics")

    # Somebody resumes although nothing is mended.
    resume = ("resume-writes", ROUTE, "--reason", "a test")
    assert (await proxy.cli(*resume)).code == 0
    await proxy.settled()
    await order(proxy, 5)
    await halted(proxy)
    assert mirrored(modern) == 2

    # Now modern takes part.
    modern.shadow_key = (proxy.state / "shadow.key").read_bytes()
    assert (await proxy.cli(*resume)).code == 0
    await proxy.settled()
    await order(proxy, 10)

    async def all_compared() -> bool:
        found = (await proxy.route(ROUTE))["coverage"]
        return int(found["match"]) == 10

    await eventually_async(all_compared, what="10 matches")
    assert mirrored(modern) == 12

    # The workers die while modern carries one out: nobody knows what came of it.
    modern.delay = 5.0
    await order(proxy, 1)

    async def under_way() -> bool:
        return mirrored(modern) == 13

    await eventually_async(under_way, what="a write under way")
    dead = await proxy.pids("shadow")
    assert len(dead) == 2
    for pid in dead:
        os.kill(pid, signal.SIGKILL)
    modern.delay = 0.0

    async def replaced() -> bool:
        pids = await proxy.pids("shadow")
        return len(pids) == len(dead) and not set(pids) & set(dead)

    await eventually_async(replaced, what="other workers")
    await proxy.settled()
    await order(proxy, 10)
    await asyncio.sleep(0.5)
    assert mirrored(modern) == 13
    actions = [each["action"] for each in await proxy.decisions() if "writes" in each["action"]]
    assert actions == ["resume_writes", "halt_writes"] * 2


RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
  modern: {instances: ["http://127.0.0.1:8082"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
defaults:
  rollback: {mismatch_rate: 100%}
routes:
  - id: face
    match: {path: /api/*}
    weight: 0%
    mirror: {share: 100%, writes: dry_run}
    compare:
      equivalences: [number_as_string, int_bool, php_datetime, zero_date, empty_map_list]
      correspond: [$.data.id]
      ignore: [{path: $.meta.generated_at, reason: the clock}]
      tolerances: {$.data.started_at: {time: 10s}, $.data.created_at: {time: 10s}}
"""


@pytest.fixture
def mortal_rows(stack: Stack, legacy_app: LegacyApp) -> Iterator[None]:
    """Let legacy lose what a story has it write: others compare what both databases hold."""
    tables, name = ("billing_history", "subscriptions"), legacy_app.database.name
    last = {each: stack.mariadb.sql(f"SELECT MAX(id) FROM {each}", name).strip() for each in tables}  # noqa: S608 - our own names
    yield
    for table, number in last.items():
        stack.mariadb.sql(f"DELETE FROM {table} WHERE id > {number}", name)  # noqa: S608 - as above


@pytest.mark.usefixtures("mortal_rows")
async def test_php_writes_and_python_says_the_same(
    before_the_applications: Callable[[str], Proxy],
    stack: Stack,
    modern_app: ModernApp,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The real applications: one row more in MySQL, none in PostgreSQL, and equal answers."""
    monkeypatch.setenv("CUTOVER_SHADOW_KEY", stack.modern_environment["CUTOVER_SHADOW_KEY"])
    proxy = before_the_applications(RULES)
    await proxy.start()
    before = await subscriptions(modern_app.base_url)
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False) as client:
        plans = (await client.get("/api/plans")).json()["data"]
        body = {"user_id": "77", "plan_id": str(plans[-1]["id"])}
        made = await client.post("/api/subscriptions", data=body)
        assert made.status_code == 201, made.text
        for path, wrong in (
            ("/api/subscriptions", {"user_id": "x"}),
            ("/api/subscriptions/987654321/cancel", {}),
            ("/api/users", {"email": "nobody", "password": "short"}),
        ):
            await client.post(path, data=wrong)

    async def compared() -> Plain | None:
        found: Plain = (await proxy.route("face"))["coverage"]
        return found if found["compared"] >= 5 else None

    coverage = await eventually_async(compared, what="one read and four writes are compared")
    assert coverage is not None
    assert (coverage["mismatch"], coverage["not_compared"]) == (0, {}), await differing(proxy)
    assert await subscriptions(modern_app.base_url) == before
    assert (await proxy.route("face"))["writes_halted"] is None


async def subscriptions(url: str) -> int:
    """Count the subscriptions of everybody."""
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return int((await client.get("/api/subscriptions")).json()["meta"]["total"])


async def differing(proxy: Proxy) -> list[Plain]:
    """Give what differs, for whoever reads the failure."""
    found: list[Plain] = (await proxy.get("/differences", route="face"))["differences"]
    return found
