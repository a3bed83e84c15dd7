"""The requests of charges under /v1; reading only, until a login says who asks."""

from fastapi import APIRouter, Request

from modern.billing.schemas import ChargeSchema
from modern.billing.service import BillingService
from modern.infra.paging import first_of, page_of
from modern.infra.resources import Held
from modern.infra.schemas import Before, Limit, Page, RowId

router = APIRouter(tags=["billing"])


@router.get("/v1/users/{user_id}/charges")
async def list_charges(
    user_id: RowId, request: Request, held: Held, before: Before = None, limit: Limit = 20
) -> Page[ChargeSchema]:
    """List the charges of a user, the newest first; a user that does not exist has none."""
    async with held.database.reading() as connection:
        found = await BillingService(connection).before(user_id, before, limit + 1)
    charges, more = first_of(found, limit)
    items = [ChargeSchema.model_validate(charge) for charge in charges]
    return page_of(request, items, {"before": charges[-1].id} if more else None)
