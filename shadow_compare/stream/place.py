"""Where captures are in Redis, how Redis is reached, and how it is come back to."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

GONE: Final = (RedisError, OSError, TimeoutError)
"""What says that Redis cannot be used now."""

FIELD: Final = b"capture"
GROUP: Final = "shadow"

BLOCK: Final = 1.0
"""Seconds for which a reader waits for captures in one request."""

_CONNECT: Final = 1.0
_ANSWER: Final = BLOCK + 2.0

_RETRY_FIRST: Final = 0.05
_RETRY_MOST: Final = 2.0


@dataclass(frozen=True, slots=True)
class Place:
    """A stream: the server's URL, and the key below a prefix that several installations differ in.

    `length` is how many entries it has at most, and `size` how many bytes of captures.
    """

    url: str
    prefix: str = "cutover"
    length: int = 20_000
    size: int = 64 * 1024 * 1024

    @property
    def key(self) -> str:
        """Name of the stream."""
        return f"{self.prefix}:captures"

    def __repr__(self) -> str:
        """Without the URL, in which there may be a password."""
        return f"Place({self.key})"


def connect(place: Place) -> Redis:
    """Give a client; it connects when it is first used, and tries nothing twice."""
    return Redis.from_url(
        place.url,
        protocol=2,
        socket_connect_timeout=_CONNECT,
        socket_timeout=_ANSWER,
        retry=Retry(NoBackoff(), 0),
    )


def goes_on() -> bool:
    """Whether this task has not been cancelled.

    Not every cancellation comes out of the client of Redis (8.1) again: it may come while a
    connection is given back. A loop that does not ask would then never end.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()


class Patience:
    """How long to wait before Redis is tried again: longer each time, and not all at once."""

    def __init__(self) -> None:
        self._next = _RETRY_FIRST

    def wait(self) -> float:
        """Seconds to wait after one more failure."""
        found, self._next = self._next, min(_RETRY_MOST, self._next * 2)
        return found * random.uniform(0.5, 1.0)  # noqa: S311 - spreads attempts

    def reset(self) -> None:
        """Begin anew: it has answered."""
        self._next = _RETRY_FIRST
