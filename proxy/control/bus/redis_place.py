"""Where the routing is in Redis, how Redis is reached, and what it refuses by itself.

One hash holds the token of the acting controller and, for each kind, the last message; everybody
who comes later reads it there. Two channels carry what is new, down and up. Messages are JSON.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Final

import orjson
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

GONE: Final = (RedisError, OSError, TimeoutError)
"""What says that Redis cannot be used now."""

BEAT: Final = 0.5
"""Seconds between signs of life of either end."""

SILENCE: Final = 2.0
"""Seconds without one after which the other end counts as gone."""

RETRY: Final = 0.25
"""Seconds between attempts to reach Redis: a host that was cut off converges soon after."""

_ANSWER: Final = 1.5

PUBLISH: Final = """
local held = tonumber(redis.call('HGET', KEYS[1], 'token') or '0')
local token, number = tonumber(ARGV[1]), tonumber(ARGV[2])
if token < held then return held end
if token == held and number < tonumber(redis.call('HGET', KEYS[1], 'n:' .. ARGV[3]) or '0') then
  return -1
end
redis.call('HSET', KEYS[1], 'token', ARGV[1], 'n:' .. ARGV[3], ARGV[2], 'm:' .. ARGV[3], ARGV[4])
redis.call('PUBLISH', ARGV[5], ARGV[4])
return 0
"""
"""Keep and send a message, unless a newer token or a greater number is there; 0 when it was sent.

Numbers under two tokens are not compared: who holds the newer one has read all that went before.
"""

CLAIM: Final = """
local held = tonumber(redis.call('HGET', KEYS[1], 'token') or '0')
if tonumber(ARGV[1]) < held then return {held, false} end
redis.call('HSET', KEYS[1], 'token', ARGV[1])
return {0, redis.call('HGET', KEYS[1], 'm:snapshot')}
"""
"""Shut out every older token, and give the last snapshot that one of them has sent."""

Message = tuple[str, int, dict[str, Any]]
"""Kind, token and payload."""


@dataclass(frozen=True, slots=True)
class RoutingPlace:
    """A Redis server, and the prefix of the names that one installation uses there."""

    url: str
    prefix: str = "cutover"

    @property
    def key(self) -> str:
        """Name of the hash."""
        return f"{self.prefix}:routing"

    @property
    def down(self) -> str:
        """Channel of the acting controller."""
        return f"{self.prefix}:routing:down"

    @property
    def up(self) -> str:
        """Channel of everybody else."""
        return f"{self.prefix}:routing:up"

    def connect(self) -> Redis:
        """Give a client; it connects when it is first used, and tries nothing twice."""
        return Redis.from_url(
            self.url,
            protocol=2,
            socket_connect_timeout=_ANSWER,
            socket_timeout=_ANSWER,
            retry=Retry(NoBackoff(), 0),
        )

    def __repr__(self) -> str:
        """Without the URL, in which there may be a password."""
        return f"RoutingPlace({self.key})"


def goes_on() -> bool:
    """Whether this task has not been cancelled.

    Not every cancellation comes out of the client of Redis (8.1) again: it may come while a
    connection is given back. A loop that does not ask would then never end.
    """
    task = asyncio.current_task()
    return task is None or not task.cancelling()


async def until_one_ends(*jobs: Coroutine[Any, Any, None]) -> None:
    """Run these side by side; when one ends or fails the others are cancelled.

    A TaskGroup in Python 3.11 leaves its task marked as cancelled when a child has failed.
    """
    tasks = [asyncio.create_task(job) for job in jobs]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in ended:
        task.result()


def write_down(kind: str, token: int, payload: dict[str, Any]) -> bytes:
    """Give a message of the acting controller as bytes."""
    return orjson.dumps([kind, token, payload], option=orjson.OPT_NON_STR_KEYS)


def read_down(data: bytes) -> Message:
    """Read one; raises ValueError for what is none."""
    match orjson.loads(data):
        case [str() as kind, int() as token, dict() as payload]:
            return kind, token, payload
        case _:
            raise ValueError("a message from the controller is not [kind, token, payload]")
