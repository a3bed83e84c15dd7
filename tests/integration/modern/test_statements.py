"""No N+1: what each request asks of the database is a fixed number of statements."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from sqlalchemy import event

from modern.infra.resources import Resources

NEW_USER = {"email": "ana@example.com", "name": "Ana", "password": "longenough"}

# method, path, body, statements
REQUESTS = [
    ("GET", "/health", None, 1),
    ("GET", "/api/plans", None, 1),
    ("GET", "/api/plans/1", None, 1),
    ("POST", "/api/users", NEW_USER, 1),
    ("POST", "/api/users", {"email": "ana@example.com"}, 1),
    ("POST", "/api/users", {}, 0),
    ("GET", "/api/users/1", None, 1),
    ("PUT", "/api/users/1", {"name": "Ana"}, 1),
    ("PUT", "/api/users/1", {"name": ""}, 1),
    ("GET", "/api/subscriptions", None, 2),
    ("GET", "/api/subscriptions?page=99", None, 1),
    ("GET", "/api/subscriptions?status=nonsense", None, 0),
    ("GET", "/api/subscriptions/1", None, 1),
    ("POST", "/api/subscriptions", {"user_id": 1, "plan_id": 2}, 5),
    ("POST", "/api/subscriptions", {"user_id": 99, "plan_id": 99}, 2),
    ("POST", "/api/subscriptions/1/cancel", None, 2),
    ("GET", "/api/billing/history?user_id=2", None, 2),
    ("POST", "/api/billing/run", {"subscription_id": 1}, 3),
    ("POST", "/api/billing/run", {"limit": 0}, 0),
    ("POST", "/api/payments/1/refund", None, 3),  # the processor, which is not there, comes next
    ("POST", "/api/payments/1/refund", {"amount": "x"}, 1),
    ("POST", "/api/payments/2/refund", None, 2),
    ("GET", "/v1/plans", None, 1),
    ("GET", "/v1/users?limit=100", None, 1),
    ("GET", "/v1/users/1", None, 1),
    ("GET", "/v1/subscriptions?limit=100", None, 1),
    ("GET", "/v1/subscriptions/1", None, 1),
    ("GET", "/v1/users/2/charges?limit=100", None, 1),
    ("GET", "/v1/charges/1/payments", None, 3),
]


@pytest.fixture
def statements(resources: Resources) -> Iterator[list[str]]:
    """Give the list that every statement is written to."""
    seen: list[str] = []

    def note(*arguments: object) -> None:
        seen.append(str(arguments[2]))

    engine = resources.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    yield seen
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("method", "path", "body", "expected"), REQUESTS)
async def test_a_request_takes_so_many_statements(  # the columns of the table
    client: httpx.AsyncClient,
    statements: list[str],
    method: str,
    path: str,
    body: dict[str, object] | None,
    expected: int,
) -> None:
    """However many rows it answers with."""
    answer = await client.request(method, path, json=body)
    assert answer.status_code < 500
    assert len(statements) == expected, "\n\n".join(statements)


async def test_cached_plans_take_none(client: httpx.AsyncClient, statements: list[str]) -> None:
    """The second request for the plans does not see the database."""
    await client.get("/api/plans")
    statements.clear()
    await client.get("/api/plans")
    await client.get("/v1/plans/2")
    assert statements == []
