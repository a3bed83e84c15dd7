"""What a request finds when it arrives: everything that lives as long as the process."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from redis.asyncio import Redis

from modern.infra.cache import Cache
from modern.infra.cache_store import RedisStore
from modern.infra.clock import Clock, utc_now
from modern.infra.database import Database
from modern.infra.metrics import Metrics
from modern.infra.redis import create_redis
from modern.infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Resources:
    """The settings and everything that was opened from them."""

    settings: Settings
    metrics: Metrics
    database: Database
    redis: Redis
    cache: Cache
    now: Clock

    async def close(self) -> None:
        """Close the connections to the database and to Redis."""
        await self.database.close()
        await self.redis.aclose()


def open_resources(settings: Settings, now: Clock = utc_now) -> Resources:
    """Return the resources; nothing connects before it is first used."""
    metrics = Metrics()
    redis = create_redis(settings.redis_url.get_secret_value())
    return Resources(
        settings=settings,
        metrics=metrics,
        database=Database(settings.database_url.get_secret_value(), metrics),
        redis=redis,
        cache=Cache(RedisStore(redis), metrics),
        now=now,
    )


def resources_of(request: Request) -> Resources:
    """Return the resources of the application that serves this request."""
    resources: Resources = request.app.state.resources
    return resources


Held = Annotated[Resources, Depends(resources_of)]
