from __future__ import annotations

import httpx
import pytest

FIELDS = [
    "id",
    "subscription_id",
    "user_id",
    "amount",
    "currency",
    "status",
    "description",
    "billed_at",
    "paid_at",
    "refunded_amount",
]


def test_charges_to_the_byte(client: httpx.Client) -> None:
    """The newest charge comes first, the amount is a string."""
    answer = client.get("/api/billing/history?user_id=202")
    assert answer.status_code == 200
    assert answer.content.startswith(b'{"status":"ok","data":[{"id":24')
    rows = answer.json()["data"]
    assert [list(row) for row in rows] == [FIELDS] * 20
    assert [row["id"] for row in rows] == sorted((row["id"] for row in rows), reverse=True)
    assert all(isinstance(row["amount"], str) for row in rows)
    assert list(answer.json()["meta"]) == ["page", "per_page", "total", "generated_at"]


def test_pages(client: httpx.Client) -> None:
    """The pages of one user hold every charge once."""
    pages = [
        client.get(f"/api/billing/history?user_id=202&page={page}").json() for page in range(1, 5)
    ]
    assert [len(page["data"]) for page in pages] == [20, 20, 17, 0]
    assert {page["meta"]["total"] for page in pages} == {57}
    assert len({row["id"] for page in pages for row in page["data"]}) == 57


def test_an_unpaid_charge_has_a_zero_date(client: httpx.Client) -> None:
    """A charge that was not paid says so with a zero date."""
    subscription = client.get("/api/subscriptions?status=past_due&page=8").json()["data"][-1]
    path = f"/api/billing/history?user_id={subscription['user_id']}"
    failed = [row for row in client.get(path).json()["data"] if row["status"] == "failed"]
    assert failed
    assert {row["paid_at"] for row in failed} == {"0000-00-00 00:00:00"}


@pytest.mark.parametrize("user_id", ["8", "0", "999999", "99999999999999999999"])
def test_a_user_without_charges(client: httpx.Client, user_id: str) -> None:
    """Nobody's history is an empty list."""
    body = client.get(f"/api/billing/history?user_id={user_id}").json()
    assert (body["status"], body["data"], body["meta"]["total"]) == ("ok", [], 0)


@pytest.mark.parametrize(
    "query",
    ["", "user_id=", "user_id=abc", "user_id=-1", "user_id=1.0", "user_id[]=1", "user_id=1%20"],
)
def test_the_user_is_required(client: httpx.Client, query: str) -> None:
    """Without the number of a user there is no history."""
    answer = client.get(f"/api/billing/history?{query}")
    assert answer.status_code == 422
    assert answer.content == (
        b'{"status":"error","message":"Validation failed","errors":{"user_id":"required"}}'
    )
