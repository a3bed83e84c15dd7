"""Where cached values lie: Redis, and beside it a double in memory that is tested like it.

Four verbs. A value is filled in only by who holds the claim on it, and dropping a value drops the
claim too: whoever was loading while the data changed finds the claim gone and fills nothing. So a
value from before an invalidation can never come back after it.
"""

from collections.abc import Callable
from typing import Protocol, cast

from redis.asyncio import Redis


class CacheStore(Protocol):
    """What the cache needs of a store; every verb may raise `redis.RedisError` or OSError."""

    async def read(self, key: str) -> bytes | None:
        """Return the value, or None."""

    async def claim(self, key: str, token: str, seconds: float) -> bool:
        """Take the right to fill the value, for some seconds; False when somebody has it."""

    async def fill(self, key: str, token: str, value: bytes, seconds: float) -> bool:
        """Set the value and give the claim back; False when the claim was lost meanwhile."""

    async def drop(self, key: str) -> None:
        """Forget the value, and void the claim of whoever is loading it."""


_FILL = """
if redis.call('GET', KEYS[2]) ~= ARGV[1] then
    return 0
end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1
"""


class RedisStore:
    """Values in Redis, where all processes and hosts see the same ones."""

    def __init__(self, redis: Redis, prefix: str = "billing:cache:") -> None:
        self._redis = redis
        self._prefix = prefix
        self._fill = redis.register_script(_FILL)

    async def read(self, key: str) -> bytes | None:
        """Return the value, or None."""
        return cast("bytes | None", await self._redis.get(self._prefix + key))

    async def claim(self, key: str, token: str, seconds: float) -> bool:
        """Take the right to fill the value; False when somebody has it."""
        name = self._claim(key)
        return bool(await self._redis.set(name, token, nx=True, px=int(seconds * 1000)))

    async def fill(self, key: str, token: str, value: bytes, seconds: float) -> bool:
        """Set the value and give the claim back; False when the claim was lost meanwhile."""
        keys = [self._prefix + key, self._claim(key)]
        return bool(await self._fill(keys=keys, args=[token, value, int(seconds * 1000)]))

    async def drop(self, key: str) -> None:
        """Forget the value, and void the claim of whoever is loading it."""
        await self._redis.delete(self._prefix + key, self._claim(key))

    def _claim(self, key: str) -> str:
        return f"{self._prefix}{key}:claim"


class MemoryStore:
    """Values in this process, with the clock as an argument; for tests."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._values: dict[str, tuple[bytes, float]] = {}
        self._claims: dict[str, tuple[str, float]] = {}

    async def read(self, key: str) -> bytes | None:
        """Return the value, or None."""
        value, until = self._values.get(key, (None, 0.0))
        return value if self._now() < until else None

    async def claim(self, key: str, token: str, seconds: float) -> bool:
        """Take the right to fill the value; False when somebody has it."""
        if self._now() < self._claims.get(key, ("", 0.0))[1]:
            return False
        self._claims[key] = (token, self._now() + seconds)
        return True

    async def fill(self, key: str, token: str, value: bytes, seconds: float) -> bool:
        """Set the value and give the claim back; False when the claim was lost meanwhile."""
        holder, until = self._claims.get(key, ("", 0.0))
        if holder != token or self._now() >= until:
            return False
        self._values[key] = (value, self._now() + seconds)
        del self._claims[key]
        return True

    async def drop(self, key: str) -> None:
        """Forget the value, and void the claim of whoever is loading it."""
        self._values.pop(key, None)
        self._claims.pop(key, None)
