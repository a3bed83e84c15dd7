"""Refunds and billing runs of the legacy application, with a real processor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.stack import Stack
from deploy.stack.apache import Apache
from deploy.stack.database import Database
from deploy.stack.mariadb import MariaDb
from deploy.stack.ports import free_ports
from deploy.stack.redis import Redis
from tests.integration.legacy.conftest import NewUser
from tests.support_processor import OwnAccount, own_account


@pytest.fixture(scope="module")
def account(stack: Stack) -> OwnAccount:
    """Give the application an account at a running processor."""
    stack.ensure("processor")
    return own_account(stack.processor)


@pytest.fixture(scope="module")
def app(
    scratch_database: Database,
    redis_server: Redis,
    account: OwnAccount,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Apache]:
    """Give the application on the database of these tests, with the processor."""
    app = Apache(
        Path(tmp_path_factory.mktemp("paid")),
        free_ports(1)[0],
        scratch_database,
        (redis_server.host, redis_server.port),
        processor=account.account,
        tied=True,
    )
    app.start()
    yield app
    app.stop()


@pytest.fixture
def client(app: Apache) -> Iterator[httpx.Client]:
    """Give a client of that application."""
    with httpx.Client(base_url=f"http://{app.address}", timeout=30) as client:
        yield client


@pytest.fixture
def subscribed(client: httpx.Client, new_user: NewUser) -> dict[str, int]:
    """Give a new customer with a card that pays, and a subscription with a pending charge."""
    user = new_user()
    client.put(f"/api/users/{user['id']}", json={"payment_method": "tok_visa"})
    body = {"user_id": user["id"], "plan_id": 2}
    made = client.post("/api/subscriptions", json=body).json()["data"]
    return {"user": int(str(user["id"])), "subscription": made["id"]}


def run(client: httpx.Client, subscription_id: int) -> dict[str, Any]:
    """Bill one subscription."""
    answer = client.post("/api/billing/run", json={"subscription_id": subscription_id})
    assert answer.status_code == 200, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def test_a_card_is_charged_once(
    client: httpx.Client, subscribed: dict[str, int], account: OwnAccount
) -> None:
    """The pending charge is paid; there is nothing left for a second run."""
    found = run(client, subscribed["subscription"])
    [charge] = found.pop("charges")
    assert found == {"billed": 0, "paid": 1, "failed": 0}
    assert list(charge)[-2:] == ["paid_at", "refunded_amount"]
    assert (charge["status"], charge["amount"], charge["refunded_amount"]) == (
        "paid",
        "29.00",
        "0.00",
    )
    assert run(client, subscribed["subscription"])["charges"] == []
    [asked] = [each for each in account.asked() if each.key == f"charge-{charge['id']}"]
    assert asked.form == {"amount": "2900", "currency": "eur", "source": "tok_visa"}


@pytest.mark.parametrize("card", ["tok_chargeDeclined", "tok_nobody", None])
def test_a_card_that_does_not_pay(
    client: httpx.Client, subscribed: dict[str, int], card: str | None
) -> None:
    """The charge has failed, and the subscription is past due."""
    client.put(f"/api/users/{subscribed['user']}", json={"payment_method": card})
    found = run(client, subscribed["subscription"])
    assert (found["paid"], found["failed"]) == (0, 1)
    answer = client.get(f"/api/subscriptions/{subscribed['subscription']}")
    assert answer.json()["data"]["status"] == "past_due"


def test_a_processor_that_fails(client: httpx.Client, subscribed: dict[str, int]) -> None:
    """The charge waits for the next run; nobody is told that a card was declined."""
    client.put(f"/api/users/{subscribed['user']}", json={"payment_method": "tok_flaky"})
    for status in ("pending", "pending", "paid"):
        [charge] = run(client, subscribed["subscription"])["charges"]
        assert charge["status"] == status


@pytest.mark.parametrize(
    ("began", "due", "following"),
    [
        ("2026-01-31", "2026-02-28", "2026-03-31"),
        ("2026-01-15", "2026-11-15", "2026-12-15"),
        ("2024-02-29", "2026-02-28", "2026-03-29"),
    ],
)
def test_a_cycle_that_is_due(
    client: httpx.Client,
    subscribed: dict[str, int],
    mariadb_server: MariaDb,
    scratch_database: Database,
    began: str,
    due: str,
    following: str,
) -> None:
    """It is billed and paid, and the date moves on from the first day."""
    number = subscribed["subscription"]
    mariadb_server.sql(
        f"UPDATE subscriptions SET created_at = '{began} 22:00:00', next_billing_date = '{due}'"  # noqa: S608 - our own
        f" WHERE id = {number}",
        scratch_database.name,
    )
    found = client.post("/api/billing/run", data={"subscription_id": str(number), "limit": "1"})
    assert found.json()["data"]["billed"] == 1
    answer = client.get(f"/api/subscriptions/{number}").json()["data"]
    assert answer["next_billing_date"] == following


def paid(client: httpx.Client, subscribed: dict[str, int]) -> str:
    """Have the first charge paid; gives the path of its refund."""
    [charge] = run(client, subscribed["subscription"])["charges"]
    return f"/api/payments/{charge['id']}/refund"


def test_refunds_in_parts(
    client: httpx.Client, subscribed: dict[str, int], account: OwnAccount
) -> None:
    """Each part is given back by the processor; the rest with an empty body."""
    path = paid(client, subscribed)
    part = client.post(path, json={"amount": "9.50"}).json()["data"]
    assert (part["status"], part["refunded_amount"]) == ("paid", "9.50")
    number = client.post(path, json={"amount": 9.5}).json()["data"]
    assert number["refunded_amount"] == "19.00"
    too_much = client.post(path, data={"amount": "10.01"})
    assert (too_much.status_code, too_much.json()["errors"]) == (422, {"amount": "too much"})
    rest = client.post(path).json()["data"]
    assert (rest["status"], rest["refunded_amount"]) == ("refunded", "29.00")
    assert client.post(path).content == b'{"status":"error","message":"Already refunded"}'
    refunds = [each.form["amount"] for each in account.asked() if each.path == "/v1/refunds"]
    assert refunds[-3:] == ["950", "950", "1000"]


@pytest.mark.parametrize("amount", ["0", "x", "1,00", "1.234", -1, True, [], "123456789"])
def test_what_is_no_amount(
    client: httpx.Client, subscribed: dict[str, int], amount: object
) -> None:
    """Nothing is given back."""
    answer = client.post(paid(client, subscribed), json={"amount": amount})
    assert (answer.status_code, answer.json()["errors"]) == (422, {"amount": "invalid"})


def test_what_was_not_paid(client: httpx.Client, subscribed: dict[str, int]) -> None:
    """A pending charge cannot be given back, nor one that is not there."""
    history = client.get(f"/api/billing/history?user_id={subscribed['user']}").json()["data"]
    answer = client.post(f"/api/payments/{history[0]['id']}/refund", json={"amount": "x"})
    assert answer.content == b'{"status":"error","message":"Not paid"}'
    for number in ("0", "99999999", "9" * 25):
        answer = client.post(f"/api/payments/{number}/refund")
        assert answer.content == b'{"status":"error","message":"Payment not found"}'


def test_charges_of_the_seed_can_be_refunded(client: httpx.Client) -> None:
    """The processor knows them by their names."""
    rows = client.get("/api/billing/history?user_id=202").json()["data"]
    charge = next(row for row in rows if row["status"] == "paid")
    back = client.post(f"/api/payments/{charge['id']}/refund").json()["data"]
    assert back == {**charge, "status": "refunded", "refunded_amount": charge["amount"]}


def test_a_processor_that_is_not_there(scratch_app: Apache, client: httpx.Client) -> None:
    """The application without an account gives nothing back, and writes nothing."""
    rows = client.get("/api/billing/history?user_id=203").json()["data"]
    charge = next(row for row in rows if row["status"] == "paid")
    path = f"http://{scratch_app.address}/api/payments/{charge['id']}/refund"
    answer = httpx.post(path, timeout=30)
    assert answer.content == b'{"status":"error","message":"Payment processor does not answer"}'
    assert charge in client.get("/api/billing/history?user_id=203").json()["data"]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"subscription_id": "x"}, {"subscription_id": "invalid"}),
        ({"subscription_id": True, "limit": 0}, {"subscription_id": "invalid", "limit": "invalid"}),
        ({"limit": 1001}, {"limit": "invalid"}),
    ],
)
def test_a_run_that_makes_no_sense(
    client: httpx.Client, body: dict[str, object], errors: dict[str, str]
) -> None:
    """Nothing is billed."""
    answer = client.post("/api/billing/run", json=body)
    assert (answer.status_code, answer.json()["errors"]) == (422, errors)


def test_a_run_for_nobody(client: httpx.Client) -> None:
    """There is no such subscription."""
    answer = client.post("/api/billing/run", json={"subscription_id": 99999999})
    assert answer.content == b'{"status":"error","message":"Subscription not found"}'
