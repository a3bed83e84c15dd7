from __future__ import annotations

import httpx
import pytest

PATHS = {
    "/health": "GET, HEAD",
    "/api/plans": "GET, HEAD",
    "/api/plans/1": "GET, HEAD",
    "/api/users": "POST",
    "/api/users/1": "GET, HEAD, PUT",
    "/api/subscriptions": "GET, HEAD, POST",
    "/api/subscriptions/1": "GET, HEAD",
    "/api/subscriptions/1/cancel": "POST",
    "/api/billing/history": "GET, HEAD",
}


@pytest.mark.parametrize(("path", "methods"), PATHS.items())
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS"])
async def test_a_wrong_method(
    client: httpx.AsyncClient, path: str, methods: str, method: str
) -> None:
    """405 names all methods that the path has."""
    answer = await client.request(method, path)
    assert (answer.status_code, answer.text) == (
        405,
        '{"status":"error","message":"Method not allowed"}',
    )
    assert answer.headers["allow"] == methods


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api",
        "/api/",
        "/api/plans/",
        "/api/plans/1/",
        "/api/plans/x",
        "/api/plans/-1",
        "/api/plans/%D9%A1",
        "/api/plans/1%0A",
        "/api/plans%0A",
        "/api/plans%2F1",
        "/api%2fplans",
        "/API/plans",
        "/api/login",
        "/_faults",
        "/docs",
    ],
)
async def test_an_unknown_path(client: httpx.AsyncClient, path: str) -> None:
    """404 in the envelope; what this version does not serve is unknown, too."""
    answer = await client.post(path)
    assert (answer.status_code, answer.text) == (404, '{"status":"error","message":"Not found"}')
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_a_path_is_decoded(client: httpx.AsyncClient) -> None:
    """What is escaped without need means the same."""
    assert (await client.get("/api/%70lans/1")).status_code == 200


async def test_health(client: httpx.AsyncClient) -> None:
    """Well, in the words of the contract."""
    answer = await client.get("/health")
    assert (answer.status_code, answer.text) == (
        200,
        '{"status":"healthy","database":"ok","redis":"ok","app":"modern",'
        '"timestamp":"2026-01-31T12:30:15+00:00"}',
    )
