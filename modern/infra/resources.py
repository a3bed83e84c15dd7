"""What a request finds when it arrives: everything that lives as long as the process."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from pydantic import SecretStr
from redis.asyncio import Redis

from modern.infra.cache import Cache
from modern.infra.cache_store import RedisStore
from modern.infra.clock import Clock, utc_now
from modern.infra.database import Database
from modern.infra.mail import MailServer, mail_server
from modern.infra.metrics import Metrics
from modern.infra.queue import Queue
from modern.infra.redis import create_redis
from modern.infra.settings import Settings
from modern.payments.processor import Processor


@dataclass(frozen=True, slots=True)
class Resources:
    """The settings and everything that was opened from them."""

    settings: Settings
    metrics: Metrics
    database: Database
    redis: Redis
    cache: Cache
    queue: Queue
    processor: Processor
    mail_server: MailServer | None
    now: Clock

    async def close(self) -> None:
        """Close the connections to the database, to Redis and to the processor."""
        await self.processor.close()
        self.queue.close()
        await self.database.close()
        await self.redis.aclose()


def open_resources(settings: Settings, now: Clock = utc_now) -> Resources:
    """Return the resources; nothing connects before it is first used."""
    metrics = Metrics()
    smtp_url = _secret(settings.smtp_url)
    redis = create_redis(settings.redis_url.get_secret_value())
    return Resources(
        settings=settings,
        metrics=metrics,
        database=Database(settings.database_url.get_secret_value(), metrics),
        redis=redis,
        cache=Cache(RedisStore(redis), metrics),
        queue=Queue(settings),
        processor=Processor(settings.stripe_url, _secret(settings.stripe_secret_key)),
        mail_server=None if smtp_url is None else mail_server(smtp_url),
        now=now,
    )


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


def resources_of(request: Request) -> Resources:
    """Return the resources of the application that serves this request."""
    resources: Resources = request.app.state.resources
    return resources


Held = Annotated[Resources, Depends(resources_of)]
