from __future__ import annotations

import httpx
import pytest


async def test_plans(client: httpx.AsyncClient) -> None:
    """The plans on sale; money is minor units with a currency."""
    items = (await client.get("/v1/plans")).json()["items"]
    assert [plan["id"] for plan in items] == [1, 2, 3]
    assert items[0]["price"] == {"minor": 990, "currency": "EUR"}


@pytest.mark.parametrize(
    "path",
    [
        "/v1/plans/4",
        "/v1/users/1",
        "/v1/subscriptions/1",
    ],
)
async def test_reading_one(client: httpx.AsyncClient, path: str) -> None:
    """One thing is answered as it is, without an envelope."""
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.json()["id"] == int(path.rsplit("/", 1)[1])


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/v1/plans/99", "Plan not found"),
        ("/v1/users/99", "User not found"),
        ("/v1/subscriptions/99", "Subscription not found"),
        ("/v1/nothing", "Not Found"),
    ],
)
async def test_what_does_not_exist_is_404(
    client: httpx.AsyncClient, path: str, detail: str
) -> None:
    """As problem details."""
    answer = await client.get(path, headers={"X-Request-Id": "abc"})
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": detail,
        "instance": path,
        "request_id": "abc",
    }


@pytest.mark.parametrize(
    ("path", "where", "field"),
    [
        ("/v1/plans/x", "path", "plan_id"),
        ("/v1/plans/0", "path", "plan_id"),
        ("/v1/users/2147483648", "path", "user_id"),
        ("/v1/users?limit=101", "query", "limit"),
        ("/v1/users?after=-1", "query", "after"),
        ("/v1/subscriptions?status=nonsense", "query", "status"),
        ("/v1/subscriptions?user_id=0", "query", "user_id"),
        ("/v1/users/1/charges?before=0", "query", "before"),
    ],
)
async def test_wrong_parameters_are_422(
    client: httpx.AsyncClient, path: str, where: str, field: str
) -> None:
    """The problem says which parameter, and where."""
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["title"]) == (422, "Unprocessable Entity")
    assert [(error["in"], error["field"]) for error in answer.json()["errors"]] == [(where, field)]


@pytest.mark.parametrize(
    "path", ["/v1/plans", "/v1/users", "/v1/users/1", "/v1/subscriptions", "/v1/subscriptions/1"]
)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_nothing_can_be_written(client: httpx.AsyncClient, method: str, path: str) -> None:
    """Until a login says who writes, the clean API only reads."""
    answer = await client.request(method, path, json={})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    ("path", "ids"),
    [
        ("/v1/users?limit=2", [1, 2, 3]),
        ("/v1/subscriptions?limit=10", list(range(1, 46))),
        ("/v1/subscriptions?limit=4&status=past_due&user_id=2", list(range(3, 46, 3))),
        ("/v1/subscriptions?limit=100", list(range(1, 46))),
        ("/v1/users/2/charges?limit=7", list(range(25, 0, -1))),
        ("/v1/users/1/charges", []),
    ],
)
async def test_pages_lead_through_everything(
    client: httpx.AsyncClient, path: str, ids: list[int]
) -> None:
    """Following `next` to the end shows each row once."""
    seen: list[int] = []
    following: str | None = path
    while following is not None:
        page = (await client.get(following)).json()
        seen += [item["id"] for item in page["items"]]
        following = page["next"]
    assert seen == ids


async def test_the_password_is_nowhere(client: httpx.AsyncClient) -> None:
    """Neither face shows a hash."""
    for path in ("/v1/users", "/v1/users/1", "/api/users/1"):
        assert "argon2" not in (await client.get(path)).text


async def test_openapi_describes_the_clean_api_only(client: httpx.AsyncClient) -> None:
    """Every operation is below /v1, has words and a described 404; fields have examples."""
    document = (await client.get("/v1/openapi.json")).json()
    assert all(path.startswith("/v1/") for path in document["paths"])
    for path in document["paths"].values():
        assert set(path) == {"get"}
        assert path["get"]["description"]
        assert "application/problem+json" in path["get"]["responses"]["404"]["content"]
    plan = document["components"]["schemas"]["PlanSchema"]["properties"]
    assert plan["name"]["examples"] == ["Team"]


async def test_metrics(client: httpx.AsyncClient) -> None:
    """What Prometheus collects: business and technical, by route and not by path."""
    await client.get("/api/users/1")
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=")
    for name in (
        "subscriptions_created_total 0.0",
        "users_registered_total 0.0",
        'http_request_duration_seconds_count{method="GET",route="/api/users/{user_id:row}"',
        "db_query_duration_seconds_count",
        "db_pool_connections_in_use 0.0",
    ):
        assert name in answer.text
