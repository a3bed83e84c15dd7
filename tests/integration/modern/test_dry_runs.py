"""Mirrored writes carried out by the modern application, by the hundred: nothing is left."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, text

from modern.app import create_app
from modern.billing.tables import billing_history
from modern.infra.metadata import metadata
from modern.infra.resources import Resources
from modern.infra.settings import Settings
from modern.plans.service import PlanService
from modern.subscriptions.tables import subscriptions
from modern.users.tables import users
from shadow_compare.capture import Capture
from tests.integration.modern.conftest import NOW, THEN
from tests.support import eventually_async
from tests.support_shadow import WRITE_KEY, Running, running_worker
from tests.support_writes import a_write, send_all, serving

CUSTOMERS = range(101, 161)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Give the application the proxy's key."""
    key = SecretStr(WRITE_KEY.decode())
    return settings.model_copy(update={"cutover_shadow_key": key})


@pytest.fixture
async def customers(resources: Resources) -> None:
    """Have sixty more customers, with a subscription each."""
    async with resources.database.writing() as connection:
        await connection.execute(
            users.insert(),
            [
                {"id": n, "email": f"c{n}@example.com", "name": f"C{n}", "password_hash": "x"}
                for n in CUSTOMERS
            ],
        )
        await connection.execute(
            subscriptions.insert(),
            [{"id": n, "user_id": n, "plan_id": 1, "next_billing_date": THEN} for n in CUSTOMERS],
        )


def subscribe(user: int, plan: int) -> Capture:
    """Begin a subscription, which charges its first cycle."""
    body = json.dumps({"user_id": user, "plan_id": plan}).encode()
    return a_write("POST", "/api/subscriptions", body, route="create", status=201)


def hundreds() -> list[Capture]:
    """Creates, cancels and changes of the same rows again and again; some that are refused."""
    again = range(4)
    creates = [subscribe(user, 2) for _ in again for user in CUSTOMERS]
    cancels = [a_write("POST", f"/api/subscriptions/{n}/cancel") for _ in again for n in CUSTOMERS]
    changes = [a_write("PUT", f"/api/users/{user}", b'{"name": "Other"}') for user in CUSTOMERS]
    refused = [a_write("POST", "/api/subscriptions/4711/cancel") for _ in range(25)]
    refused += [subscribe(4711, 1) for _ in range(33)]
    registers = [
        {"email": f"new{n}@example.com", "password": "hush-hush-hush", "name": "N"} for n in (1, 2)
    ]
    registered = [a_write("POST", "/api/users", json.dumps(one).encode()) for one in registers]
    return [*creates, *cancels, *changes, *refused, *registered]


async def everything(resources: Resources) -> dict[str, Any]:
    """Read all that a write could leave: rows, sequences, keys in Redis, business metrics."""
    found: dict[str, Any] = {}
    async with resources.database.engine.connect() as connection:
        for table in metadata.sorted_tables:
            rows = (await connection.execute(select(table).order_by(table.c.id))).all()
            found[table.name] = [tuple(row) for row in rows]
            sequence = f"{table.name}_id_seq"
            state = text(f"SELECT last_value, is_called FROM {sequence}")  # noqa: S608 - our own name
            found[sequence] = tuple((await connection.execute(state)).one())
    keys = sorted(await resources.redis.keys("*"))
    found["redis"] = {key: await resources.redis.dump(key) for key in keys}
    metrics = resources.metrics
    happened = (
        metrics.subscriptions_created, metrics.subscriptions_cancelled, metrics.users_registered
    )  # fmt: skip
    found["metrics"] = [next(iter(each.collect())).samples[0].value for each in happened]
    found["http"] = len(next(iter(metrics.request_duration.collect())).samples)
    return found


@pytest.mark.usefixtures("customers")
async def test_hundreds_of_mirrored_writes_leave_nothing(
    app: FastAPI, resources: Resources
) -> None:
    """No row, no number of a sequence, no key, no task and no count; and each was carried out."""
    await PlanService(resources.database, resources.cache).on_sale()  # to have a cache to spoil
    before = await everything(resources)
    writes = hundreds()
    assert len(writes) == 600
    async with serving(app) as port:
        answers = await send_all(port, writes)
    # An unknown id is told with 200, as legacy does.
    assert Counter(answer.status for answer in answers) == {
        201: 240 + 2, 200: 240 + 60 + 25, 422: 33,
    }  # fmt: skip
    created = json.loads(answers[0].body)["data"]
    assert (created["user_id"], created["plan_id"], created["status"]) == (101, 2, "active")
    assert created["id"] >= 2**30
    assert json.loads(answers[240].body)["data"]["status"] == "cancelled"
    assert await everything(resources) == before
    assert resources.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined] # of this pool


@pytest.mark.usefixtures("customers")
async def test_for_real_the_same_writes_leave_what_they_should(
    app: FastAPI, resources: Resources
) -> None:
    """Beside dry runs that go on meanwhile: neither sees the other."""
    before = await everything(resources)
    async with serving(app) as port, httpx.AsyncClient() as client:
        url = f"http://127.0.0.1:{port}/api/subscriptions"
        dry = asyncio.create_task(send_all(port, [subscribe(user, 2) for user in CUSTOMERS]))
        served = await asyncio.gather(
            *(client.post(url, json={"user_id": u, "plan_id": 3}) for u in CUSTOMERS[:20])
        )
        answers = await dry
    assert {answer.status for answer in answers} == {201}
    assert {answer.status_code for answer in served} == {201}
    after = await everything(resources)
    assert len(after["subscriptions"]) == len(before["subscriptions"]) + 20
    assert len(after["billing_history"]) == len(before["billing_history"]) + 20
    assert after["subscriptions_id_seq"][0] == before["subscriptions_id_seq"][0] + 20
    assert after["metrics"][0] == 20


@pytest.mark.usefixtures("customers")
async def test_without_the_middleware_one_write_is_carried_out_and_never_a_second(
    settings: Settings, resources: Resources, tmp_path: Path
) -> None:
    """By two workers, with sixty different writes at once, and more of them later."""
    unaware = create_app(settings, now=lambda: NOW)
    removed = unaware.user_middleware.pop(0)
    assert str(removed).startswith("Middleware(DryRunMiddleware")
    before = await everything(resources)
    async with (
        serving(unaware) as port,
        running_worker(tmp_path, name="one") as one,
        running_worker(tmp_path, name="other") as other,
    ):
        for worker in (one, other):
            worker.configure(1, port, writes={"create": 0})
        writes = [subscribe(user, 2) for user in CUSTOMERS]
        await one.send(*(write.encode() for write in writes[:30]))
        await other.send(*(write.encode() for write in writes[30:]))
        await ended(60, one, other)
        await one.send(*(subscribe(user, 3).encode() for user in CUSTOMERS[:10]))
        await ended(70, one, other)
    await unaware.state.resources.close()
    after = await everything(resources)
    assert len(after["subscriptions"]) == len(before["subscriptions"]) + 1
    assert len(after[billing_history.name]) == len(before[billing_history.name]) + 1
    assert {halt.route for halt in (*one.halts, *other.halts)} == {"create"}


async def ended(number: int, *workers: Running) -> None:
    """Wait until so many captures have come to an end."""

    async def all_ended() -> bool:
        return sum(sum(worker.total().values()) for worker in workers) == number

    await eventually_async(all_ended, what=f"{number} ends")
