"""What can be asked of monitoring: whether the application is fit to serve."""

import asyncio
from collections.abc import Awaitable

from modern.infra.logging import get_logger
from modern.infra.resources import Resources
from modern.monitoring.domain import Health

# A prober gives up after a second or two; an answer that comes later than that is no answer.
PATIENCE_SECONDS = 1.0

_log = get_logger(__name__)


class MonitoringService:
    """Looks at what the application depends on."""

    def __init__(self, resources: Resources, patience: float = PATIENCE_SECONDS) -> None:
        self._resources = resources
        self._patience = patience

    async def health(self) -> Health:
        """Ask all dependencies at once, and wait for none longer than the patience."""
        database, redis = await asyncio.gather(
            self._answers("database", self._resources.database.ping()),
            self._answers("redis", self._ping_redis()),
        )
        return Health(database=database, redis=redis)

    async def _ping_redis(self) -> None:
        await self._resources.redis.ping()

    async def _answers(self, name: str, asked: Awaitable[None]) -> bool:
        try:
            async with asyncio.timeout(self._patience):
                await asked
        except Exception as error:  # every failure has one meaning here
            _log.warning("health.failed", dependency=name, error=repr(error))
            return False
        return True
