"""What can be done with charges: look at them."""

from sqlalchemy.ext.asyncio import AsyncConnection

from modern.billing.domain import Charge
from modern.billing.repository import BillingRepository


class BillingService:
    """Charges, over the connection of one request."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._charges = BillingRepository(connection)

    async def page(self, user_id: int, *, offset: int, limit: int) -> tuple[list[Charge], int]:
        """Return `limit` charges of the user, newest first, and how many there are in all."""
        total = await self._charges.count(user_id)
        if offset >= total:
            return [], total
        return await self._charges.page(user_id, offset=offset, limit=limit), total

    async def before(self, user_id: int, first_id: int | None, limit: int) -> list[Charge]:
        """Return at most `limit` charges of the user with ids below `first_id`, newest first."""
        return await self._charges.before(user_id, first_id, limit)
