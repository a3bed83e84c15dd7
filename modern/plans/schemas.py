"""How plans are spelt under /v1."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from modern.infra.schemas import MoneySchema, Schema
from modern.plans.domain import BillingCycle


class PlanSchema(Schema):
    """One thing that can be subscribed to."""

    id: Annotated[int, Field(examples=[2])]
    name: Annotated[str, Field(examples=["Team"])]
    description: Annotated[str, Field(examples=["For small teams"])]
    price: MoneySchema
    billing_cycle: BillingCycle
    trial_days: Annotated[int, Field(ge=0, examples=[14])]
    features: Annotated[dict[str, Any], Field(examples=[{"seats": 10, "support": "email"}])]
    is_active: bool
    created_at: datetime


class PlansSchema(Schema):
    """All plans on sale; there is never more than a handful."""

    items: list[PlanSchema]
