"""Charges and refunds of the modern application, with a real processor and a real mail server."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import func, select, update

from deploy.stack import Stack
from modern.billing.domain import ChargeStatus
from modern.billing.tables import billing_history
from modern.events.tables import outbox
from modern.infra.resources import Resources
from modern.infra.settings import Settings
from modern.payments import flow
from modern.payments.domain import Standing
from modern.payments.processor import Processor
from modern.payments.tables import payments, refunds
from modern.subscriptions.tables import subscriptions
from modern.users.tables import users
from tests.integration.modern.conftest import NOW, REDIS_DATABASE
from tests.support_processor import OwnAccount, own_account

Pay = Callable[..., Awaitable[dict[str, Any]]]


@pytest.fixture
def account(stack: Stack) -> OwnAccount:
    """Give the application an account at a running processor."""
    stack.ensure("processor")
    return own_account(stack.processor)


@pytest.fixture
def settings(settings: Settings, account: OwnAccount) -> Settings:
    """Give the settings of the application under test, with the account."""
    key = SecretStr(account.account.key)
    changes = {"stripe_url": account.account.url, "stripe_secret_key": key}
    return settings.model_copy(update=changes)


@pytest.fixture
def subscribe(client: httpx.AsyncClient) -> Pay:
    """Give a way to have user 3 subscribe with a card; gives the pending charge."""

    async def subscribe(card: str | None = "tok_visa", plan: int = 2) -> dict[str, Any]:
        await client.put("/api/users/3", json={"payment_method": card})
        body = {"user_id": 3, "plan_id": plan}
        assert (await client.post("/api/subscriptions", json=body)).status_code == 201
        found = await client.get("/api/billing/history?user_id=3")
        charge: dict[str, Any] = found.json()["data"][0]
        return charge

    return subscribe


@pytest.fixture
def pay(client: httpx.AsyncClient, subscribe: Pay) -> Pay:
    """Give a way to have user 3 subscribe and pay; gives the paid charge."""

    async def pay(card: str = "tok_visa", plan: int = 2) -> dict[str, Any]:
        charge = await subscribe(card, plan)
        [paid] = (await run(client, charge["subscription_id"]))["charges"]
        assert paid["status"] == "paid"
        done: dict[str, Any] = paid
        return done

    return pay


async def run(client: httpx.AsyncClient, subscription_id: int) -> dict[str, Any]:
    """Bill one subscription."""
    answer = await client.post("/api/billing/run", json={"subscription_id": subscription_id})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


async def events(resources: Resources) -> list[str]:
    """Return what the outbox tells, in its order."""
    async with resources.database.reading() as connection:
        return list(await connection.scalars(select(outbox.c.kind).order_by(outbox.c.id)))


async def test_a_charge_to_the_byte(
    client: httpx.AsyncClient, subscribe: Pay, account: OwnAccount, resources: Resources
) -> None:
    """It is paid, the card once, and an event says so."""
    charge = await subscribe()
    answer = await client.post(
        "/api/billing/run", json={"subscription_id": charge["subscription_id"]}
    )
    assert answer.content.decode() == (
        '{"status":"ok","data":{"billed":0,"paid":1,"failed":0,"charges":[{"id":26,'
        '"subscription_id":46,"user_id":3,"amount":29.0,"currency":"EUR","status":"paid",'
        '"description":"Team, 1 month","billed_at":"2026-01-31T12:30:15+00:00",'
        '"paid_at":"2026-01-31T12:30:15+00:00","refunded_amount":0.0}]}}'
    )
    assert account.taken() == [("tok_visa", 2900)]
    assert await events(resources) == ["payment.succeeded"]
    assert (await run(client, charge["subscription_id"]))["charges"] == []
    metrics = resources.metrics.exposition().decode()
    assert 'processor_asked_total{outcome="approved",what="charge"} 1.0' in metrics


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("tok_chargeDeclined", "card_declined"),
        ("tok_nobody", "resource_missing"),
        (None, "no_payment_method"),
    ],
)
async def test_a_card_that_does_not_pay(
    client: httpx.AsyncClient, subscribe: Pay, resources: Resources, card: str | None, code: str
) -> None:
    """The charge has failed, the subscription is past due, and the history says why."""
    charge = await subscribe(card)
    found = await run(client, charge["subscription_id"])
    assert (found["paid"], found["failed"]) == (0, 1)
    subscription = await client.get(f"/api/subscriptions/{charge['subscription_id']}")
    assert subscription.json()["data"]["status"] == "past_due"
    history = (await client.get(f"/v1/charges/{charge['id']}/payments")).json()
    assert [(one["standing"], one["code"]) for one in history["payments"]] == [("refused", code)]
    assert await events(resources) == ["payment.failed"]


async def test_a_processor_that_comes_back_is_asked_under_one_key(
    client: httpx.AsyncClient, subscribe: Pay, account: OwnAccount
) -> None:
    """Two failures, and the third try succeeds, all within one request."""
    charge = await subscribe("tok_flaky")
    assert (await run(client, charge["subscription_id"]))["paid"] == 1
    assert [len(account.asked()), len({each.key for each in account.asked()})] == [3, 1]


async def test_a_processor_that_fails_leaves_the_charge_pending(
    client: httpx.AsyncClient, subscribe: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Each later run goes on with the same attempt, until there is an answer."""
    charge = await subscribe("tok_unavailable")
    for _ in range(2):
        found = await run(client, charge["subscription_id"])
        assert (found["paid"], found["failed"]) == (0, 0)
        assert [one["status"] for one in found["charges"]] == ["pending"]
    assert len({each.key for each in account.asked()}) == 1
    history = (await client.get(f"/v1/charges/{charge['id']}/payments")).json()
    assert [one["standing"] for one in history["payments"]] == ["asked"]
    assert await events(resources) == []


async def test_an_answer_that_was_lost_is_found_out(
    subscribe: Pay,
    account: OwnAccount,
    resources: Resources,
) -> None:
    """The card was charged, and nobody heard of it: asking again charges nothing more."""
    await subscribe("tok_lostAnswer")
    url, key = account.account.url, account.account.key
    impatient = replace(resources, processor=Processor(url, key, answer_seconds=0.2))
    async with asyncio.timeout(20):
        charge = await flow.collect(impatient, 26)
    await impatient.processor.close()
    assert charge.status is ChargeStatus.PAID
    assert account.taken() == [("tok_lostAnswer", 2900)]


async def test_a_crash_between_asking_and_writing_is_recovered_from(
    subscribe: Pay, account: OwnAccount, resources: Resources
) -> None:
    """The recovery leaves alone what is young, and settles what is old, once."""
    await subscribe()

    class CrashError(Exception):
        pass

    class Crashing(Processor):
        async def charge(self, *asked: Any) -> Any:
            await super().charge(*asked)
            raise CrashError

    url, key = account.account.url, account.account.key
    crashing = replace(resources, processor=Crashing(url, key))
    with pytest.raises(CrashError):
        await flow.collect(crashing, 26)
    await crashing.processor.close()
    assert await flow.recover(resources) == 0
    later = replace(resources, now=lambda: NOW + timedelta(minutes=3))
    assert await flow.recover(later) == 1
    assert await flow.recover(later) == 0
    assert account.taken() == [("tok_visa", 2900)]
    assert await events(resources) == ["payment.succeeded"]


async def test_of_many_at_once_one_charges(
    client: httpx.AsyncClient, subscribe: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Whoever runs the billing meanwhile: one attempt, one charge, one event."""
    charge = await subscribe()
    await asyncio.gather(*(run(client, charge["subscription_id"]) for _ in range(8)))
    assert account.taken() == [("tok_visa", 2900)]
    assert await events(resources) == ["payment.succeeded"]
    history = (await client.get(f"/v1/charges/{charge['id']}/payments")).json()
    assert [one["standing"] for one in history["payments"]] == ["succeeded"]


async def test_what_is_free_is_paid_without_asking(
    client: httpx.AsyncClient, subscribe: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Nothing is taken from a card, and there need not be one."""
    charge = await subscribe(None)
    async with resources.database.writing() as connection:
        free = update(billing_history).where(billing_history.c.id == charge["id"])
        await connection.execute(free.values(amount_minor=0))
    assert (await run(client, charge["subscription_id"]))["paid"] == 1
    assert account.asked() == []
    back = await client.post(f"/api/payments/{charge['id']}/refund")
    assert back.json()["message"] == "Already refunded"


async def test_a_cycle_that_is_due(client: httpx.AsyncClient, resources: Resources) -> None:
    """Every active subscription that is due gets a charge, and its date moves on."""
    due = datetime(2026, 1, 1, tzinfo=UTC)
    async with resources.database.writing() as connection:
        await connection.execute(update(users).values(payment_method="tok_visa"))
        await connection.execute(
            update(subscriptions)
            .where(subscriptions.c.id.in_([1, 2, 3, 4]))
            .values(next_billing_date=due)
        )
    data = (await client.post("/api/billing/run", json={"limit": 1})).json()["data"]
    assert (data["billed"], data["paid"]) == (1, 1)
    data = (await client.post("/api/billing/run")).json()["data"]
    # Of 1 to 4, the second is cancelled and the third past due.
    assert (data["billed"], [one["subscription_id"] for one in data["charges"]]) == (1, [4])
    one = (await client.get("/api/subscriptions/1")).json()["data"]
    assert one["next_billing_date"] == "2026-02-01"
    assert (await client.post("/api/billing/run")).json()["data"]["billed"] == 0


async def test_refunds_in_parts(
    client: httpx.AsyncClient, pay: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Each is given back by the processor, and told; the rest with an empty body."""
    charge = await pay()
    path = f"/api/payments/{charge['id']}/refund"
    part = await client.post(path, json={"amount": "9.50"})
    assert part.json()["data"] == {**charge, "refunded_amount": 9.5}
    too_much = await client.post(path, json={"amount": "19.51"})
    assert (too_much.status_code, too_much.json()["errors"]) == (422, {"amount": "too much"})
    rest = (await client.post(path)).json()["data"]
    assert (rest["status"], rest["refunded_amount"]) == ("refunded", 29.0)
    again = await client.post(path, json={"amount": "x"})
    assert again.content == b'{"status":"error","message":"Already refunded"}'
    asked = [each.form["amount"] for each in account.asked() if each.path == "/v1/refunds"]
    assert asked == ["950", "1950"]
    told = ["payment.succeeded", "refund.succeeded", "refund.succeeded"]
    assert await events(resources) == told
    history = (await client.get(f"/v1/charges/{charge['id']}/payments")).json()
    assert [one["amount"]["minor"] for one in history["refunds"]] == [950, 1950]


@pytest.mark.parametrize(
    ("number", "message"),
    [(99, "Payment not found"), (10**20, "Payment not found"), (2, "Not paid")],
)
async def test_what_cannot_be_given_back(
    client: httpx.AsyncClient, number: int, message: str
) -> None:
    """With 200, as everything that is refused for what there is."""
    for body in ({}, {"amount": "x"}):
        answer = await client.post(f"/api/payments/{number}/refund", json=body)
        assert (answer.status_code, answer.json()["message"]) == (200, message)


async def test_a_refund_that_the_processor_refuses(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    """Charge 1 was paid, but not by this processor: nothing changes, and it can be tried again."""
    for _ in range(2):
        answer = await client.post("/api/payments/1/refund")
        assert answer.json() == {"status": "error", "message": "Refund failed"}
    async with resources.database.reading() as connection:
        rows = (await connection.execute(select(refunds.c.standing, refunds.c.code))).all()
    assert [tuple(row) for row in rows] == [(Standing.REFUSED, "resource_missing")] * 2


async def test_a_client_that_asks_twice_under_one_key(
    client: httpx.AsyncClient, pay: Pay, account: OwnAccount
) -> None:
    """It hears the same twice, and is given the money once; another amount is refused."""
    charge = await pay()
    path = f"/api/payments/{charge['id']}/refund"
    ask = {"json": {"amount": "5"}, "headers": {"Idempotency-Key": "a"}}
    first, second = await client.post(path, **ask), await client.post(path, **ask)  # type: ignore[arg-type] # passed on
    assert first.content == second.content
    assert first.json()["data"]["refunded_amount"] == 5.0
    other = await client.post(path, json={"amount": "6"}, headers={"Idempotency-Key": "a"})
    assert other.status_code == 422
    assert sum(each.path == "/v1/refunds" for each in account.asked()) == 1


async def test_many_refunds_at_once_are_never_more_than_was_paid(
    client: httpx.AsyncClient, pay: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Twelve ask for ten of 29 euro: two get it; who asks for all that is left gets nine."""
    charge = await pay()
    path = f"/api/payments/{charge['id']}/refund"
    answers = await asyncio.gather(*(client.post(path, json={"amount": "10"}) for _ in range(12)))
    kinds = Counter(answer.json()["status"] for answer in answers)
    assert kinds == {"ok": 2, "error": 10}
    assert (await client.post(path)).json()["data"]["refunded_amount"] == 29.0
    given = [int(each.form["amount"]) for each in account.asked() if each.path == "/v1/refunds"]
    assert sorted(given) == [900, 1000, 1000]
    async with resources.database.reading() as connection:
        sums = select(func.sum(refunds.c.amount_minor)).where(
            refunds.c.standing == Standing.SUCCEEDED
        )
        assert await connection.scalar(sums) == 2900


async def test_a_refund_without_an_answer_is_reserved_and_found_out(
    client: httpx.AsyncClient, pay: Pay, account: OwnAccount, resources: Resources
) -> None:
    """Nobody can have the money a second time meanwhile; the recovery settles it."""
    charge = await pay()
    path = f"/api/payments/{charge['id']}/refund"
    dead = Processor("http://127.0.0.1:9", account.account.key)
    with pytest.raises(Exception, match="Payment processor does not answer"):
        await flow.refund(replace(resources, processor=dead), charge["id"], None, None)
    await dead.close()
    under_way = await client.post(path)
    assert under_way.json() == {"status": "error", "message": "Refund under way"}
    later = replace(resources, now=lambda: NOW + timedelta(minutes=3))
    assert await flow.recover(later) == 1
    found = (await client.get("/api/billing/history?user_id=3")).json()["data"][0]
    assert (found["status"], found["refunded_amount"]) == ("refunded", 29.0)


async def test_jobs_are_hinted_at_and_do_without(
    app: FastAPI, pay: Pay, resources: Resources
) -> None:
    """A payment sends the job that tells it; with a dead Redis it is paid all the same."""
    await resources.redis.delete("billing:jobs:celery")
    await pay()
    assert await resources.redis.llen("billing:jobs:celery") == 1
    await resources.redis.delete("billing:jobs:celery")
    assert str(REDIS_DATABASE) in app.state.resources.settings.redis_url.get_secret_value()


@pytest.mark.parametrize("path", ["/v1/charges/99/payments", "/v1/charges/0/payments"])
async def test_a_history_of_nothing(client: httpx.AsyncClient, path: str) -> None:
    """404 and 422, as problem details."""
    answer = await client.get(path)
    assert answer.status_code in {404, 422}
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_attempt_is_a_row(pay: Pay, resources: Resources) -> None:
    """With what the processor calls it, and when."""
    await pay()
    async with resources.database.reading() as connection:
        row = (await connection.execute(select(payments))).one()
    assert (row.amount_minor, row.method, row.standing) == (2900, "tok_visa", "succeeded")
    assert row.reference.startswith("ch_")
    assert (row.asked_at, row.settled_at) == (NOW, NOW)
