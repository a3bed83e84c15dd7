from __future__ import annotations

import asyncio

import httpx
import pytest
from sqlalchemy import select

from modern.billing.tables import billing_history
from modern.infra.resources import Resources
from modern.subscriptions.tables import subscriptions

FIRST = (
    '{"id":1,"user_id":2,"plan_id":1,"plan_name":"Basic","status":"active","price":9.9,'
    '"currency":"EUR","next_billing_date":"2026-02-28","created_at":"2024-03-01T10:00:00+00:00"'
)


async def test_a_subscription_to_the_byte(client: httpx.AsyncClient) -> None:
    """Field order, and where the charges are."""
    answer = await client.get("/api/subscriptions/1")
    assert answer.content.decode() == (
        f'{{"status":"ok","data":{FIRST},"history_url":"/api/billing/history?user_id=2"}}}}'
    )


async def test_a_list_is_twenty_by_id(client: httpx.AsyncClient) -> None:
    """The first page of all, with no filter as an empty object."""
    answer = await client.get("/api/subscriptions")
    assert [one["id"] for one in answer.json()["data"]] == list(range(1, 21))
    assert answer.text.endswith(
        '"meta":{"page":1,"per_page":20,"total":45,'
        '"generated_at":"2026-01-31T12:30:15+00:00","filters":{}}}'
    )
    assert f'"data":[{FIRST}}},' in answer.text


@pytest.mark.parametrize(
    ("query", "ids", "total"),
    [
        ("page=3", [41, 42, 43, 44, 45], 45),
        ("page=4", [], 45),
        ("page=999999999", [], 45),
        ("page=0&status=past_due", list(range(3, 46, 3)), 15),
        ("user_id=2&status=active", list(range(1, 44, 3)), 15),
        ("user_id=1", [], 0),
        ("user_id=99999999999", [], 0),
        ("user_id=2'--", [], 0),
        ("status=nonsense", [], 0),
        ("status=active%00", [], 0),
    ],
)
async def test_pages_and_filters(
    client: httpx.AsyncClient, query: str, ids: list[int], total: int
) -> None:
    """Pages beyond the end are empty; a filter that makes no sense matches nothing."""
    answer = await client.get(f"/api/subscriptions?{query}")
    assert [one["id"] for one in answer.json()["data"]] == ids
    assert answer.json()["meta"]["total"] == total


async def test_filters_are_repeated(client: httpx.AsyncClient) -> None:
    """As texts, in the order of the contract, as they were given."""
    answer = await client.get("/api/subscriptions?status=active&user_id=002")
    assert '"filters":{"user_id":"002","status":"active"}' in answer.text


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/subscriptions/99"), ("POST", "/api/subscriptions/99/cancel")]
)
async def test_a_subscription_that_does_not_exist(
    client: httpx.AsyncClient, method: str, path: str
) -> None:
    """Not found is 200."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.text) == (
        200,
        '{"status":"error","message":"Subscription not found"}',
    )


async def test_subscribing(client: httpx.AsyncClient, resources: Resources) -> None:
    """It is active, billed next a calendar month ahead, and its first charge is pending."""
    answer = await client.post("/api/subscriptions", json={"user_id": 1, "plan_id": "2"})
    assert answer.status_code == 201
    assert answer.content.decode() == (
        '{"status":"ok","data":{"id":46,"user_id":1,"plan_id":2,"plan_name":"Team",'
        '"status":"active","price":29.0,"currency":"EUR","next_billing_date":"2026-02-28",'
        '"created_at":"2026-01-31T12:30:15+00:00"}}'
    )
    assert "subscriptions_created_total 1.0" in resources.metrics.exposition().decode()
    history = await client.get("/api/billing/history?user_id=1")
    assert history.json()["data"] == [
        {
            "id": 26,
            "subscription_id": 46,
            "user_id": 1,
            "amount": 29.0,
            "currency": "EUR",
            "status": "pending",
            "description": "Team, 1 month",
            "billed_at": "2026-01-31T12:30:15+00:00",
            "paid_at": None,
            "refunded_amount": 0.0,
        }
    ]


async def test_what_was_answered_is_what_is_stored(client: httpx.AsyncClient) -> None:
    """Reading it again says the same."""
    created = (await client.post("/api/subscriptions", data={"user_id": 3, "plan_id": 3})).json()
    read = (await client.get(f"/api/subscriptions/{created['data']['id']}")).json()["data"]
    del read["history_url"]
    assert read == created["data"]
    assert read["next_billing_date"] == "2027-01-31"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, [("user_id", "required"), ("plan_id", "required")]),
        (
            {"user_id": 99, "plan_id": 99},
            [("user_id", "unknown user"), ("plan_id", "unknown plan")],
        ),
        ({"user_id": 99}, [("user_id", "unknown user"), ("plan_id", "required")]),
        ({"plan_id": 4}, [("user_id", "required"), ("plan_id", "unknown plan")]),
        ({"user_id": 1, "plan_id": 4}, [("plan_id", "unknown plan")]),
        ({"user_id": 10**12, "plan_id": 1}, [("user_id", "unknown user")]),
        ({"user_id": 2, "plan_id": 1}, [("plan_id", "already subscribed")]),
    ],
)
async def test_a_subscription_that_cannot_be(
    client: httpx.AsyncClient, body: dict[str, int], errors: list[tuple[str, str]]
) -> None:
    """What is wrong with the user and the plan is told together."""
    answer = await client.post("/api/subscriptions", json=body)
    assert answer.status_code == 422
    assert list(answer.json()["errors"].items()) == errors


async def test_a_refused_subscription_leaves_nothing(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    """The request is one transaction."""
    await client.post("/api/subscriptions", json={"user_id": 2, "plan_id": 1})
    async with resources.database.reading() as connection:
        rows = (await connection.execute(select(subscriptions.c.id))).all()
        charges = (await connection.execute(select(billing_history.c.id))).all()
    assert (len(rows), len(charges)) == (45, 25)


async def test_of_many_at_once_one_subscribes(client: httpx.AsyncClient) -> None:
    """Where the legacy application checks first and writes later, this one locks the user."""
    body = {"user_id": 1, "plan_id": 1}
    answers = await asyncio.gather(
        *(client.post("/api/subscriptions", json=body) for _ in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [201] + [422] * 7


async def test_subscribing_again_after_cancelling(client: httpx.AsyncClient) -> None:
    """Only an active subscription stands in the way."""
    assert (await client.post("/api/subscriptions/1/cancel")).status_code == 200
    still = await client.post("/api/subscriptions", json={"user_id": 2, "plan_id": 1})
    assert still.json()["errors"] == {"plan_id": "already subscribed"}
    for number in range(4, 44, 3):
        await client.post(f"/api/subscriptions/{number}/cancel")
    again = await client.post("/api/subscriptions", json={"user_id": 2, "plan_id": 1})
    assert again.status_code == 201


@pytest.mark.parametrize("number", [1, 3])
async def test_cancelling(client: httpx.AsyncClient, resources: Resources, number: int) -> None:
    """An active and an overdue one end; the next billing date stays as it was."""
    answer = await client.post(f"/api/subscriptions/{number}/cancel")
    assert answer.status_code == 200
    cancelled = answer.json()["data"]
    assert (cancelled["status"], cancelled["next_billing_date"]) == ("cancelled", "2026-02-28")
    assert "history_url" not in cancelled
    assert (await client.get(f"/api/subscriptions/{number}")).json()["data"]["status"] == (
        "cancelled"
    )
    assert "subscriptions_cancelled_total 1.0" in resources.metrics.exposition().decode()


async def test_cancelling_twice(client: httpx.AsyncClient) -> None:
    """The second time is an error with status 200."""
    await client.post("/api/subscriptions/1/cancel")
    answer = await client.post("/api/subscriptions/1/cancel")
    assert (answer.status_code, answer.text) == (
        200,
        '{"status":"error","message":"Already cancelled"}',
    )


async def test_of_many_cancelling_at_once_one_does(client: httpx.AsyncClient) -> None:
    """The row is held from looking to writing."""
    answers = await asyncio.gather(*(client.post("/api/subscriptions/1/cancel") for _ in range(6)))
    assert sorted(answer.json()["status"] for answer in answers) == ["error"] * 5 + ["ok"]
