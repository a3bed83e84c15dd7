from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from redis.asyncio import Redis as RedisClient
from sqlalchemy import update

from deploy.stack.redis import Redis
from modern.infra.cache_store import RedisStore
from modern.infra.redis import create_redis
from modern.infra.resources import Resources
from modern.plans.service import PlanService
from modern.plans.tables import subscription_plans
from tests.contracts.cache_store import CacheStoreContract, Wait


class TestRedisStore(CacheStoreContract):
    """Redis keeps the contract."""

    @pytest.fixture
    async def redis(self, redis_server: Redis) -> AsyncIterator[RedisClient]:
        """Give a client of an empty database."""
        client = create_redis(redis_server.url(8))
        await client.flushdb()
        yield client
        await client.aclose()

    @pytest.fixture
    def store(self, redis: RedisClient) -> RedisStore:
        """Give an empty store."""
        return RedisStore(redis)

    @pytest.fixture
    def wait(self) -> Wait:
        """Give a way to let time pass: the clock of Redis cannot be moved."""
        return asyncio.sleep

    async def test_everything_of_ours_has_our_prefix(
        self, store: RedisStore, redis: RedisClient
    ) -> None:
        """PHP keeps its sessions in the same Redis."""
        await store.claim("plans", "a", 5)
        await store.fill("plans", "a", b"1", 60)
        await store.claim("plans", "b", 5)
        keys = await redis.keys()
        assert sorted(keys) == [b"billing:cache:plans", b"billing:cache:plans:claim"]


async def test_plans_are_kept_for_five_minutes(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    """A change in the database is not seen before that."""
    await client.get("/api/plans")
    assert 295 <= await resources.redis.ttl("billing:cache:plans") <= 300
    await raise_price(resources)
    assert (await client.get("/api/plans/1")).json()["data"]["price"] == 9.9


async def test_expired_plans_are_read_anew(client: httpx.AsyncClient, resources: Resources) -> None:
    """Whoever changes plans says so, and the next reader sees it."""
    await client.get("/api/plans")
    await raise_price(resources)
    await PlanService(resources.database, resources.cache).expire()
    assert (await client.get("/api/plans/1")).json()["data"]["price"] == 10.9


async def raise_price(resources: Resources) -> None:
    """Make the first plan dearer by one."""
    statement = update(subscription_plans).where(subscription_plans.c.id == 1)
    async with resources.database.writing() as connection:
        await connection.execute(statement.values(price_minor=1090))
