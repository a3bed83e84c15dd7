"""How charges are spelt under /v1."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from modern.billing.domain import ChargeStatus
from modern.infra.schemas import MoneySchema, Schema


class ChargeSchema(Schema):
    """One amount that a subscription has caused."""

    id: Annotated[int, Field(examples=[901])]
    subscription_id: Annotated[int, Field(examples=[40])]
    user_id: Annotated[int, Field(examples=[17])]
    amount: MoneySchema
    status: ChargeStatus
    description: Annotated[str, Field(examples=["Team, 1 month"])]
    billed_at: datetime
    paid_at: datetime | None
    refunded: MoneySchema
