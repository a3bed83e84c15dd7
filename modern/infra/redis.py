"""The client of Redis, which is given little time: what needs it can do without."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.25
ANSWER_SECONDS = 0.25


def create_redis(url: str) -> Redis:
    """Return a client that gives up within a second: a request waits for what it can do without."""
    client: Redis = Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One more try, at once: it turns a connection that died idle into a fresh one.
        retry=Retry(NoBackoff(), 1),
    )
    return client
