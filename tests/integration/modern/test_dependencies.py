"""What is left of the application when one of its dependencies is away."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from deploy.stack import Database
from deploy.stack.ports import free_ports
from deploy.stack.postgres import Postgres
from modern.app import create_app
from modern.infra.settings import Settings, async_url


@pytest.fixture
async def without_redis(app: FastAPI, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application whose Redis is not there; the rows are."""
    del app  # it has filled the database
    url = SecretStr(f"redis://127.0.0.1:{free_ports(1)[0]}/0")
    async with client_of(settings.model_copy(update={"redis_url": url})) as client:
        yield client


@pytest.fixture
async def without_database(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application whose database is not there."""
    url = async_url(f"postgresql://u:hush@127.0.0.1:{free_ports(1)[0]}/billing")
    changed = settings.model_copy(update={"database_url": SecretStr(url)})
    async with client_of(changed) as client:
        yield client


@pytest.fixture
async def silence() -> AsyncIterator[str]:
    """Give the address of a server that takes connections and never says a word."""
    visitors: list[asyncio.StreamWriter] = []

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visitors.append(writer)
        await reader.read()

    async with await asyncio.start_server(listen, "127.0.0.1", 0) as server:
        host, port = server.sockets[0].getsockname()
        yield f"{host}:{port}"
        for visitor in visitors:
            visitor.close()


@asynccontextmanager
async def client_of(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Start an application and give a client of it."""
    app = create_app(settings)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://modern") as client,
    ):
        yield client


@pytest.mark.parametrize(
    "path", ["/api/plans", "/api/users/1", "/api/subscriptions", "/v1/plans", "/v1/plans/1"]
)
async def test_without_redis_everything_is_answered(
    without_redis: httpx.AsyncClient, path: str
) -> None:
    """The cache is bypassed."""
    for _ in range(2):
        assert (await without_redis.get(path)).status_code == 200


async def test_without_redis_the_application_is_not_well(without_redis: httpx.AsyncClient) -> None:
    """Health says which dependency is missing."""
    answer = await without_redis.get("/health")
    assert answer.status_code == 503
    assert answer.json() | {"timestamp": None} == {
        "status": "unhealthy",
        "database": "ok",
        "redis": "error",
        "app": "modern",
        "timestamp": None,
    }


async def test_without_database_the_application_is_not_well(
    without_database: httpx.AsyncClient,
) -> None:
    """The other way round."""
    answer = await without_database.get("/health")
    assert answer.status_code == 503
    assert (answer.json()["database"], answer.json()["redis"]) == ("error", "ok")


@pytest.mark.parametrize("path", ["/api/plans", "/api/users/1", "/api/subscriptions"])
async def test_without_database_the_face_fails_in_its_own_words(
    without_database: httpx.AsyncClient, path: str
) -> None:
    """And says nothing of where the database should have been."""
    answer = await without_database.get(path)
    assert (answer.status_code, answer.text) == (
        500,
        '{"status":"error","message":"Internal error"}',
    )


async def test_without_database_the_clean_api_fails_as_a_problem(
    without_database: httpx.AsyncClient,
) -> None:
    """The id of the request is all that is told."""
    answer = await without_database.get("/v1/users/1", headers={"X-Request-Id": "abc"})
    assert answer.status_code == 500
    assert answer.json() == {
        "type": "about:blank",
        "title": "Internal Server Error",
        "status": 500,
        "instance": "/v1/users/1",
        "request_id": "abc",
    }


async def test_a_silent_redis_holds_nobody_up(
    app: FastAPI, settings: Settings, silence: str
) -> None:
    """It is given a moment, and then done without."""
    del app  # it has filled the database
    changed = settings.model_copy(update={"redis_url": SecretStr(f"redis://{silence}/0")})
    async with client_of(changed) as client:
        assert (await client.get("/api/plans")).status_code == 200
        assert (await client.get("/health")).json()["redis"] == "error"


async def test_a_silent_database_is_not_waited_for(settings: Settings, silence: str) -> None:
    """Health answers before a prober gives up."""
    url = SecretStr(async_url(f"postgresql://u:p@{silence}/billing"))
    async with client_of(settings.model_copy(update={"database_url": url})) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["database"]) == (503, "error")


async def test_connections_that_the_server_has_closed_are_replaced(
    client: httpx.AsyncClient, postgres_server: Postgres, billing_database: Database
) -> None:
    """After a restart of the database no request meets a dead connection."""
    assert (await client.get("/api/users/1")).status_code == 200
    postgres_server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'billing-modern'",
        billing_database.name,
    )
    assert (await client.get("/api/users/1")).status_code == 200
    assert (await client.post("/api/subscriptions/1/cancel")).status_code == 200
