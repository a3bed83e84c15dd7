from __future__ import annotations

import httpx
import pytest


async def test_a_history_is_twenty_charges_newest_first(client: httpx.AsyncClient) -> None:
    """The order is the opposite of the other lists."""
    answer = await client.get("/api/billing/history?user_id=2")
    assert [charge["id"] for charge in answer.json()["data"]] == list(range(25, 5, -1))
    assert answer.content.decode().startswith(
        '{"status":"ok","data":[{"id":25,"subscription_id":1,"user_id":2,"amount":10.15,'
        '"currency":"EUR","status":"paid","description":"Basic, 1 month",'
        '"billed_at":"2024-03-26T10:00:00+00:00","paid_at":"2024-03-26T10:00:02+00:00",'
        '"refunded_amount":0.0},'
    )
    assert answer.text.endswith(
        '"meta":{"page":1,"per_page":20,"total":25,"generated_at":"2026-01-31T12:30:15+00:00"}}'
    )


async def test_the_next_page_goes_on(client: httpx.AsyncClient) -> None:
    """No charge is on two pages or on none."""
    answer = await client.get("/api/billing/history?user_id=2&page=2")
    assert [charge["id"] for charge in answer.json()["data"]] == [5, 4, 3, 2, 1]


async def test_a_charge_that_was_not_paid(client: httpx.AsyncClient) -> None:
    """Where PHP has a zero date, modern has null."""
    answer = await client.get("/api/billing/history?user_id=2")
    assert answer.json()["data"][1]["paid_at"] is None


@pytest.mark.parametrize("user_id", ["1", "99", "99999999999999999999"])
async def test_who_has_no_charges_has_an_empty_list(
    client: httpx.AsyncClient, user_id: str
) -> None:
    """Whether or not there is such a user."""
    answer = await client.get(f"/api/billing/history?user_id={user_id}")
    assert (answer.status_code, answer.json()["data"]) == (200, [])
    assert answer.json()["meta"]["total"] == 0


@pytest.mark.parametrize("query", ["", "?user_id=", "?user_id=x", "?user_id=-1", "?user_id[]=2"])
async def test_a_history_needs_a_user(client: httpx.AsyncClient, query: str) -> None:
    """Without one the request is wrong."""
    answer = await client.get(f"/api/billing/history{query}")
    assert answer.status_code == 422
    assert answer.text == (
        '{"status":"error","message":"Validation failed","errors":{"user_id":"required"}}'
    )
