from __future__ import annotations

import httpx
import pytest

BASIC = (
    '{"id":1,"name":"Basic","description":"Basic für alle","price":9.9,"currency":"EUR",'
    '"billing_cycle":"monthly","trial_days":14,"features":{"seats":1,"support":"email"},'
    '"is_active":true,"created_at":"2024-03-01T10:00:00+00:00"}'
)


async def test_the_list_has_the_plans_on_sale(client: httpx.AsyncClient) -> None:
    """Active plans by id, with their number and no paging."""
    answer = await client.get("/api/plans")
    assert answer.status_code == 200
    assert [plan["id"] for plan in answer.json()["data"]] == [1, 2, 3]
    assert answer.json()["meta"] == {"total": 3, "generated_at": "2026-01-31T12:30:15+00:00"}


async def test_a_plan_to_the_byte(client: httpx.AsyncClient) -> None:
    """Field order, numbers, truth values and non-ASCII as the contract spells them for modern."""
    answer = await client.get("/api/plans/1")
    assert answer.content.decode() == f'{{"status":"ok","data":{BASIC}}}'
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_plan_without_features_has_an_empty_object(client: httpx.AsyncClient) -> None:
    """Where PHP says [], modern says {}."""
    assert (await client.get("/api/plans/3")).json()["data"]["features"] == {}


async def test_a_plan_that_is_not_on_sale_can_be_looked_at(client: httpx.AsyncClient) -> None:
    """Somebody may still have it."""
    assert (await client.get("/api/plans/4")).json()["data"]["is_active"] is False


@pytest.mark.parametrize("number", ["0", "99", "2147483648", "9" * 40])
async def test_a_plan_that_does_not_exist(client: httpx.AsyncClient, number: str) -> None:
    """Not found is 200, however large the number."""
    answer = await client.get(f"/api/plans/{number}")
    assert (answer.status_code, answer.text) == (
        200,
        '{"status":"error","message":"Plan not found"}',
    )
