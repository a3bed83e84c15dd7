"""What is left of the application when one of its dependencies is away."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from deploy.stack.ports import free_ports
from modern.app import create_app
from modern.infra.settings import Settings


@pytest.fixture
async def without_redis(app: FastAPI, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application whose Redis is not there; the rows are."""
    del app  # it has filled the database
    url = f"redis://127.0.0.1:{free_ports(1)[0]}/0"
    async with serve(settings.model_validate(plain(settings) | {"redis_url": url})) as client:
        yield client


@pytest.fixture
async def without_database(settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of an application whose database is not there."""
    url = f"postgresql://u:hush@127.0.0.1:{free_ports(1)[0]}/billing"
    async with serve(settings.model_validate(plain(settings) | {"database_url": url})) as client:
        yield client


def plain(settings: Settings) -> dict[str, object]:
    """Return the settings as they can be given again."""
    return dict(settings)


class serve:  # noqa: N801 # used like a function
    """An application that is started, with a client of it."""

    def __init__(self, settings: Settings) -> None:
        self._app = create_app(settings)
        transport = httpx.ASGITransport(self._app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://modern")
        self._lifespan = self._app.router.lifespan_context(self._app)

    async def __aenter__(self) -> httpx.AsyncClient:
        """Start."""
        await self._lifespan.__aenter__()
        return self._client

    async def __aexit__(self, *_: object) -> None:
        """Stop."""
        await self._client.aclose()
        await self._lifespan.__aexit__(None, None, None)


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
