"""What can be done with plans: look at them, through the cache."""

from datetime import datetime
from typing import Any

import orjson

from modern.errors import NotFound
from modern.infra.cache import Cache
from modern.infra.database import Database
from modern.money import Money
from modern.plans.domain import BillingCycle, Plan
from modern.plans.repository import PlanRepository

CACHE_KEY = "plans"
CACHE_SECONDS = 300.0


class PlanService:
    """The catalogue of plans: a handful of rows that nearly every request asks for.

    The whole catalogue is one cached value, so it is consistent in itself and has one thing to
    invalidate.
    """

    def __init__(self, database: Database, cache: Cache) -> None:
        self._database = database
        self._cache = cache

    async def on_sale(self) -> list[Plan]:
        """Return the active plans by id."""
        return [plan for plan in await self._catalogue() if plan.is_active]

    async def read(self, plan_id: int) -> Plan:
        """Return the plan, active or not; raises NotFound."""
        for plan in await self._catalogue():
            if plan.id == plan_id:
                return plan
        raise NotFound("Plan")

    async def warm(self) -> bool:
        """Put the catalogue as it is now into the cache; False when somebody else just does."""
        return await self._cache.refresh(CACHE_KEY, CACHE_SECONDS, self._load)

    async def expire(self) -> None:
        """Make the next reader see the database, after plans were changed there."""
        await self._cache.drop(CACHE_KEY)

    async def _catalogue(self) -> list[Plan]:
        stored = await self._cache.read(CACHE_KEY, CACHE_SECONDS, self._load)
        return [unpacked(packed) for packed in orjson.loads(stored)]

    async def _load(self) -> bytes:
        async with self._database.reading() as connection:
            return orjson.dumps(await PlanRepository(connection).all())


def unpacked(packed: dict[str, Any]) -> Plan:
    """Return the plan that the cached JSON was made of."""
    return Plan(
        **{
            **packed,
            "price": Money(**packed["price"]),
            "billing_cycle": BillingCycle(packed["billing_cycle"]),
            "created_at": datetime.fromisoformat(packed["created_at"]),
        }
    )
