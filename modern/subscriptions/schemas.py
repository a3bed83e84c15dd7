"""How subscriptions are spelt under /v1."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from modern.infra.schemas import MoneySchema, Schema
from modern.subscriptions.domain import Status


class SubscriptionSchema(Schema):
    """One user's subscription to one plan, at the plan's present price."""

    id: Annotated[int, Field(examples=[40])]
    user_id: Annotated[int, Field(examples=[17])]
    plan_id: Annotated[int, Field(examples=[2])]
    plan_name: Annotated[str, Field(examples=["Team"])]
    status: Status
    price: MoneySchema
    started_at: datetime
    next_billing_date: datetime
    cancelled_at: datetime | None
    created_at: datetime
