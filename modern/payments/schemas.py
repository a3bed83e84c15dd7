"""How payments and refunds are spelt under /v1."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from modern.infra.schemas import MoneySchema, Schema
from modern.payments.domain import Standing


class PaymentSchema(Schema):
    """One attempt to have a charge paid by card."""

    id: Annotated[int, Field(examples=[71])]
    amount: MoneySchema
    standing: Standing
    code: Annotated[
        str | None, Field(examples=["card_declined"], description="Why it was refused.")
    ]
    asked_at: datetime
    settled_at: datetime | None


class RefundSchema(Schema):
    """An amount of a charge that was given back, or is about to be."""

    id: Annotated[int, Field(examples=[12])]
    amount: MoneySchema
    standing: Standing
    code: Annotated[str | None, Field(examples=["charge_already_refunded"])]
    asked_at: datetime
    settled_at: datetime | None


class PaymentHistorySchema(BaseModel):
    """What the processor was asked about one charge, in its order."""

    payments: list[PaymentSchema]
    refunds: list[RefundSchema]
