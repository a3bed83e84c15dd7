"""The cache: reads go through it, a missing value is loaded once, and it can never be in the way.

Stampede: when a popular value runs out, only one request of a process looks for it while the others
wait for that one, and only one process of the fleet loads it while the others wait a moment for it
to appear. Trouble: when the store fails, the cache steps aside for a few seconds, and values are
loaded from the source as if there were no cache.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic
from uuid import uuid4

from redis.exceptions import RedisError

from modern.infra.cache_store import CacheStore
from modern.infra.logging import get_logger
from modern.infra.metrics import Metrics
from shadow_compare.dry_run import is_dry_run, recorded

Load = Callable[[], Awaitable[bytes]]

CLAIM_SECONDS = 5.0
PATIENCE_SECONDS = 0.5
POLL_SECONDS = 0.02
ASIDE_SECONDS = 5.0

_log = get_logger(__name__)


class Cache:
    """Values by key, each loaded by the caller's function when it is missing."""

    def __init__(
        self,
        store: CacheStore,
        metrics: Metrics,
        *,
        now: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._metrics = metrics
        self._now = now
        self._sleep = sleep
        self._aside_until = 0.0
        self._under_way: dict[str, asyncio.Task[bytes]] = {}

    async def read(self, key: str, seconds: float, load: Load) -> bytes:
        """Return the value, from the store or else from `load`; raises only what `load` raises.

        A dry run loads for itself: what it sees may be its own rows, which nobody else may see.
        """
        if is_dry_run():
            return await load()
        task = self._under_way.get(key)
        if task is None:
            # A task of its own: the first request may be cancelled while others wait for it.
            task = asyncio.create_task(self._find(key, seconds, load))
            self._under_way[key] = task
            task.add_done_callback(lambda done: self._forget(key, done))
        else:
            self._count("joined")
        return await asyncio.shield(task)

    async def refresh(self, key: str, seconds: float, load: Load) -> bool:
        """Load the value now, so that no request has to; False when somebody else just does.

        Raises what `load` or the store raises: this is work for a job, which reports its failure.
        """
        if recorded("cache", refresh=key):
            return False
        token = uuid4().hex
        if not await self._store.claim(key, token, CLAIM_SECONDS):
            return False
        return await self._store.fill(key, token, await load(), seconds)

    async def drop(self, key: str) -> None:
        """Forget the value, after its source has changed."""
        if recorded("cache", drop=key):
            return
        self._under_way.pop(key, None)
        try:
            await self._store.drop(key)
        except (RedisError, OSError) as error:
            self._step_aside(error)

    def _forget(self, key: str, task: asyncio.Task[bytes]) -> None:
        # After a drop, the key may already belong to a later task.
        if self._under_way.get(key) is task:
            del self._under_way[key]

    async def _find(self, key: str, seconds: float, load: Load) -> bytes:
        if self._now() < self._aside_until:
            self._count("bypassed")
            return await load()
        try:
            value, token = await self._look(key)
        except (RedisError, OSError) as error:
            self._step_aside(error)
            value, token = None, None
        if value is not None:
            return value
        self._count("loaded")
        value = await load()
        if token is not None:
            await self._fill(key, token, value, seconds)
        return value

    async def _look(self, key: str) -> tuple[bytes | None, str | None]:
        """Return the value, or the claim to fill it, or neither when another is too slow."""
        value = await self._store.read(key)
        if value is not None:
            self._count("hit")
            return value, None
        token = uuid4().hex
        if await self._store.claim(key, token, CLAIM_SECONDS):
            return None, token
        give_up = self._now() + PATIENCE_SECONDS
        while self._now() < give_up:
            await self._sleep(POLL_SECONDS)
            value = await self._store.read(key)
            if value is not None:
                self._count("waited")
                return value, None
        return None, None

    async def _fill(self, key: str, token: str, value: bytes, seconds: float) -> None:
        try:
            await self._store.fill(key, token, value, seconds)
        except (RedisError, OSError) as error:
            self._step_aside(error)

    def _step_aside(self, error: Exception) -> None:
        self._aside_until = self._now() + ASIDE_SECONDS
        _log.warning("cache.bypassed", error=str(error), seconds=ASIDE_SECONDS)

    def _count(self, outcome: str) -> None:
        self._metrics.cache_reads.labels(outcome).inc()
