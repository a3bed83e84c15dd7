"""The client of Redis, which is given little time: what needs it can do without."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

CONNECT_SECONDS = 0.5
ANSWER_SECONDS = 0.5


def create_redis(url: str) -> Redis:
    """Return a client that fails within a second, instead of trying again while a request waits."""
    client: Redis = Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        # One more try, at once: it turns a connection that died idle into a fresh one.
        retry=Retry(NoBackoff(), 1),
    )
    return client
