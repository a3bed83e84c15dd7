from __future__ import annotations

import httpx
import pytest

TEAM = (
    rb'{"id":2,"name":"Team","description":"Up to 10 colleagues \u2013 e-mail\/chat support, '
    rb'24\/7",'
    rb'"price":"29.00","currency":"EUR","billing_cycle":"monthly","trial_days":14,'
    rb'"features":{"seats":10,"support":"email\/chat","api_access":true},"is_active":1,'
    rb'"created_at":"2022-01-01 09:00:00"}'
)


def test_one_plan_to_the_byte(client: httpx.Client) -> None:
    """A plan has the keys in the order of the face, escaped slashes and escaped non-ASCII."""
    answer = client.get("/api/plans/2")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json; charset=utf-8"
    assert answer.content == b'{"status":"ok","data":' + TEAM + b"}"


def test_list_of_plans(client: httpx.Client) -> None:
    """The list holds the four plans by id, on one page, with a meta of its own."""
    answer = client.get("/api/plans")
    body = answer.json()
    assert list(body) == ["status", "data", "meta"]
    assert [plan["id"] for plan in body["data"]] == [1, 2, 3, 4]
    assert list(body["meta"]) == ["total", "generated_at"]
    assert body["meta"]["total"] == 4
    assert TEAM in answer.content


def test_empty_features_are_a_list(client: httpx.Client) -> None:
    """An empty object of features comes out as an empty list, as PHP does."""
    assert b'"features":[],' in client.get("/api/plans/4").content


@pytest.mark.parametrize("plan_id", ["0", "5", "99999999999999999999999"])
def test_unknown_plan_is_answered_with_200(client: httpx.Client, plan_id: str) -> None:
    """A plan that does not exist is an error in the body, not in the status."""
    answer = client.get(f"/api/plans/{plan_id}")
    assert answer.status_code == 200
    assert answer.content == b'{"status":"error","message":"Plan not found"}'
