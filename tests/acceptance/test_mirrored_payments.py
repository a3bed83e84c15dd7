"""Subscriptions, cancellations, charges and refunds are mirrored to the real modern application.

PHP on MariaDB serves them and charges cards; Python on PostgreSQL is sent all of them once more,
by the real proxy and its shadow workers, and says the same. Afterwards there is not one row, not
one number of a sequence, no job in Redis, no request to the processor and no mail of its doing.

Fifty of each kind; `MIRRORED_WRITES=1000` sends a thousand.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis.asyncio import Redis

from deploy.mailbox.server import mails
from deploy.processor.app import JOURNAL, read_journal
from deploy.stack import Options, Ports, Stack
from deploy.stack.cutover import with_ports
from tests.support import eventually_async
from tests.support_proxy import Proxy

EACH = int(os.environ.get("MIRRORED_WRITES", "50"))
PATIENCE = 60.0
FOR_REAL = 3
"""Writes of each kind that are sent to modern itself in the end."""

WINDOW = 10
"""Writes of a route that are sent before it is waited for their comparison."""

RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
  modern: {instances: ["http://127.0.0.1:8082"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
defaults:
  rollback: {mismatch_rate: 100%}
routes:
  - id: create
    match: {method: [POST], path: /api/subscriptions}
    weight: 0%
    mirror: &mirror {share: 100%, writes: dry_run}
    compare:
      equivalences: &spelling [number_as_string, int_bool, php_datetime, zero_date, empty_map_list]
      critical: [$.data.price, $.data.next_billing_date]
      correspond: [$.data.id]
      tolerances: {$.data.created_at: {time: 60s}}
  - id: cancel
    match: {method: [POST], path: "/api/subscriptions/{id}/cancel"}
    weight: 0%
    mirror: *mirror
    compare: {equivalences: *spelling, critical: [$.data.status]}
  - id: charge
    match: {method: [POST], path: /api/billing/run}
    weight: 0%
    mirror: *mirror
    compare:
      equivalences: *spelling
      critical: ["$.data.charges[*].amount", "$.data.charges[*].status"]
      correspond: ["$.data.charges[*].id"]
      tolerances:
        "$.data.charges[*].billed_at": {time: 60s}
        "$.data.charges[*].paid_at": {time: 60s}
  - id: refund
    match: {method: [POST], path: "/api/payments/{id}/refund"}
    weight: 0%
    mirror: *mirror
    compare: {equivalences: *spelling, critical: [$.data.refunded_amount, $.data.status]}
  - id: everything-else
    match: {path: /*}
    weight: 0%
"""

# What has happened so far, by the application's own counting.
_COUNTED = re.compile(r"(subscriptions|users|processor)_\w+_total(\{.*\})? (?!0\.0$).*")

# Cards that pay, of the seed: what a dry run cannot know is that another one declines.
DUE = (
    "SELECT s.id FROM subscriptions s JOIN users u ON u.id = s.user_id WHERE s.status = 'active'"
    " AND u.payment_method IN ('tok_visa', 'tok_mastercard') ORDER BY s.id"
)


@dataclass(frozen=True)
class Write:
    """One request that changes something."""

    path: str
    body: dict[str, Any]


@pytest.fixture(scope="module")
def own() -> Iterator[Stack]:
    """Give a stack of one's own, in which a thousand charges harm no other test."""
    run_dir = Path(tempfile.mkdtemp(prefix="cutover-payments-"))
    stack = Stack(run_dir, Ports.free(), Options(fast=True, tied=True))
    for server in stack.servers.values():
        server.start_deadline = 120.0
    try:
        stack.ensure("legacy", "modern", "processor", "mail")
        yield stack
    finally:
        stack.down()
        shutil.rmtree(run_dir, ignore_errors=True)


def in_legacy(stack: Stack, sql: str) -> list[list[str]]:
    """Ask the database of the legacy application."""
    rows = stack.mariadb.sql(sql, stack.seed.database.name).splitlines()
    return [row.split("\t") for row in rows]


def in_modern(stack: Stack, sql: str) -> list[str]:
    """Ask the database of the modern application."""
    return stack.postgres.sql(sql, stack.schema.database.name).splitlines()


def writes(stack: Stack) -> dict[str, list[Write]]:
    """Choose what to write, of each kind, each about something else, and a few more."""
    free = in_legacy(
        stack,
        "SELECT u.id, p.id FROM users u JOIN subscription_plans p LEFT JOIN subscriptions s"
        " ON s.user_id = u.id AND s.plan_id = p.id AND s.status = 'active'"
        " WHERE s.id IS NULL AND u.is_active ORDER BY u.id % 7, u.id",
    )
    due = in_legacy(stack, DUE)[: EACH + FOR_REAL]
    running = in_legacy(stack, "SELECT id FROM subscriptions WHERE status <> 'cancelled'")
    paid = in_legacy(stack, "SELECT id, amount FROM billing_history WHERE status = 'paid'")
    ended = [row for row in running if row not in due]
    make_due(stack, [row[0] for row in due])
    chosen = {
        "create": [
            Write("/api/subscriptions", {"user_id": int(user), "plan_id": plan})
            for user, plan in free
        ],
        "charge": [Write("/api/billing/run", {"subscription_id": int(row[0])}) for row in due],
        "cancel": [Write(f"/api/subscriptions/{row[0]}/cancel", {}) for row in ended],
        # Every third in part, every ninth for more than there is.
        "refund": [
            Write(f"/api/payments/{number}/refund", wanted_back(index, amount))
            for index, (number, amount) in enumerate(paid)
        ],
    }
    found = {route: several[: EACH + FOR_REAL] for route, several in chosen.items()}
    assert {len(several) for several in found.values()} == {EACH + FOR_REAL}
    return found


def wanted_back(index: int, amount: str) -> dict[str, Any]:
    """Say how much of an amount is asked back: all of it, a part, or too much."""
    if index % 9 == 5:
        return {"amount": f"9{amount}"}
    return {"amount": f"0.{1 + index % 99:02}"} if index % 3 == 1 else {}


def make_due(stack: Stack, numbers: list[str]) -> None:
    """Have these subscriptions be due since the 1st of February 2026, on both sides."""
    those = f"UPDATE subscriptions SET next_billing_date = '2026-02-01' WHERE id IN ({','.join(numbers)})"  # noqa: E501, S608 - numbers of our own
    in_legacy(stack, those)
    in_modern(stack, f"SET timezone = 'UTC'; {those}")


async def everything(stack: Stack) -> dict[str, Any]:
    """Read all that modern could leave anything in."""
    found: dict[str, Any] = {}
    for table in in_modern(
        stack, "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"
    ):
        digest = f"SELECT count(*), md5(string_agg(t::text, ',' ORDER BY t::text)) FROM {table} t"  # noqa: S608 - its own name
        found[table] = in_modern(stack, digest)
    found["sequences"] = in_modern(
        stack, "SELECT sequencename, last_value FROM pg_sequences ORDER BY 1"
    )
    redis = Redis.from_url(stack.redis.url())
    keys = sorted(await redis.keys("*"))
    found["redis"] = {key: await redis.dump(key) for key in keys}
    await redis.aclose()
    found["asked"] = [asked for asked in asked_of(stack) if asked[0] == "modern"]
    found["mails"] = [mail["Subject"] for mail in mails(stack.mail.folder)]
    async with httpx.AsyncClient(trust_env=False) as client:
        metrics = (await client.get(f"http://{stack.modern.address}/metrics")).text
    found["metrics"] = [line for line in metrics.splitlines() if _COUNTED.fullmatch(line)]
    return found


def asked_of(stack: Stack) -> list[tuple[str, str]]:
    """Return what the processor was asked: by whom, and for what."""
    journal = read_journal(stack.processor.folder / JOURNAL)
    return [(each.caller, each.path) for each in journal]


async def verdicts(proxy: Proxy, route: str) -> Counter[str]:
    """Count what became of all captures of a route so far: match, mismatch, not_compared, ..."""
    line = re.compile(rf'cutover_comparisons_total{{route="{route}",verdict="(\w+)"}} ([\d.e+]+)')
    found = line.findall(await proxy.text("/metrics"))
    return +Counter({verdict: int(float(count)) for verdict, count in found})


async def send(proxy: Proxy, route: str, several: list[Write]) -> Counter[int]:
    """Send writes in turn, and never so many that one would have to be left out."""
    statuses: Counter[int] = Counter()
    async with httpx.AsyncClient(base_url=proxy.url, trust_env=False, timeout=30) as client:
        for begin in range(0, len(several), WINDOW):
            for write in several[begin : begin + WINDOW]:
                answer = await client.post(write.path, json=write.body)
                assert answer.headers["Cutover-Side"] == "legacy"
                statuses[answer.status_code] += 1
            sent = statuses.total()

            async def caught_up(number: int = sent) -> bool:
                return (await verdicts(proxy, route)).total() >= number

            await eventually_async(caught_up, PATIENCE, f"{sent} of {route} are compared")
    return statuses


@pytest.mark.timeout(300 + 4 * EACH)
async def test_nothing_is_left_of_all_that_is_mirrored(
    own: Stack, make_proxy: Callable[..., Proxy], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And every answer is the one that PHP gave; then, for real, everything is left."""
    monkeypatch.setenv("CUTOVER_SHADOW_KEY", own.modern_environment["CUTOVER_SHADOW_KEY"])
    proxy = make_proxy(with_ports(RULES, own.ports), "--shadow-workers", "2")
    proxy.roles.insert(0, "shadow")
    await proxy.start()
    several = writes(own)
    before = await everything(own)
    rows = in_legacy(own, "SELECT COUNT(*) FROM billing_history")

    sent = await asyncio.gather(*(send(proxy, route, several[route][:EACH]) for route in several))

    assert await everything(own) == before
    for route in several:
        found = await verdicts(proxy, route)
        assert found == {"match": EACH}, await proxy.get("/differences", route=route)
        assert (await proxy.route(route))["writes_halted"] is None
    created, charged, cancelled, refunded = sent
    too_much = len(range(5, EACH, 9))
    assert (created, charged, cancelled) == ({201: EACH}, {200: EACH}, {200: EACH})
    assert refunded == {200: EACH - too_much, 422: too_much}

    # Legacy has done it all: a pending charge for each create, and one for each cycle that was due.
    assert int(in_legacy(own, "SELECT COUNT(*) FROM billing_history")[0][0]) == (
        int(rows[0][0]) + 2 * EACH
    )
    by_legacy = Counter(asked_of(own))
    assert by_legacy["legacy", "/v1/charges"] >= EACH
    assert by_legacy["legacy", "/v1/refunds"] == EACH - too_much

    await for_real(own, several, before)


async def for_real(stack: Stack, several: dict[str, list[Write]], before: dict[str, Any]) -> None:
    """Send a few of the same to modern itself: what was looked for is there, in every place."""
    async with httpx.AsyncClient(
        base_url=f"http://{stack.modern.address}", trust_env=False
    ) as client:
        for route in several:
            for write in several[route][EACH:]:
                body = {} if route == "refund" else write.body  # all of it
                answer = await client.post(write.path, json=body)
                assert answer.json()["status"] == "ok", answer.text
    after = await everything(stack)
    same = {name for name in before if before[name] == after[name]}
    assert same == {
        "alembic_version",
        "mails",
        "users",
        "subscription_plans",
        "migration_quarantine",
    }
    # A run bills a cycle that is due and tries a charge that was pending: it may be both. What is
    # not answered in time is asked for again, under the same key.
    paid = _count(after["payments"]) - _count(before["payments"])
    asked = Counter(after["asked"])
    assert set(asked) == {("modern", "/v1/charges"), ("modern", "/v1/refunds")}
    assert asked["modern", "/v1/charges"] >= paid >= FOR_REAL
    stack.ensure("celery-worker")

    async def told() -> bool:
        return len(mails(stack.mail.folder)) == paid + FOR_REAL

    await eventually_async(told, PATIENCE, "receipts and refunds")
    subjects = Counter(str(mail["Subject"]).partition(":")[0] for mail in mails(stack.mail.folder))
    assert subjects == {"Receipt": paid, "Refund": FOR_REAL}


def _count(summary: list[str]) -> int:
    """Return how many rows a table has, by its line in `everything`."""
    return int(summary[0].partition("|")[0])
