"""The requests of subscriptions under /v1; reading only, until a login says who asks."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from modern.infra.paging import first_of, page_of
from modern.infra.resources import Held
from modern.infra.schemas import MAX_ID, After, Limit, Page, RowId
from modern.subscriptions.domain import Filter, Status
from modern.subscriptions.schemas import SubscriptionSchema
from modern.subscriptions.service import SubscriptionService

router = APIRouter(tags=["subscriptions"])


@router.get("/v1/subscriptions")
async def list_subscriptions(  # each is one parameter of the query
    request: Request,
    held: Held,
    user_id: Annotated[int | None, Query(ge=1, le=MAX_ID, description="Only this user's.")] = None,
    status: Annotated[Status | None, Query(description="Only these.")] = None,
    after: After = 0,
    limit: Limit = 20,
) -> Page[SubscriptionSchema]:
    """List subscriptions by id."""
    wanted = Filter(user_id=user_id, status=status)
    async with held.database.reading() as connection:
        found = await SubscriptionService(connection).after(wanted, after, limit + 1)
    subscriptions, more = first_of(found, limit)
    items = [SubscriptionSchema.model_validate(one) for one in subscriptions]
    return page_of(request, items, {"after": subscriptions[-1].id} if more else None)


@router.get("/v1/subscriptions/{subscription_id}")
async def read_subscription(subscription_id: RowId, held: Held) -> SubscriptionSchema:
    """Read one subscription."""
    async with held.database.reading() as connection:
        found = await SubscriptionService(connection).read(subscription_id)
    return SubscriptionSchema.model_validate(found)
