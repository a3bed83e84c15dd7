"""The requests of payments under /v1; reading only, until a login says who asks."""

from fastapi import APIRouter

from modern.infra.resources import Held
from modern.infra.schemas import RowId
from modern.payments.schemas import PaymentHistorySchema, PaymentSchema, RefundSchema
from modern.payments.service import PaymentService

router = APIRouter(tags=["payments"])


@router.get("/v1/charges/{charge_id}/payments")
async def read_payments(charge_id: RowId, held: Held) -> PaymentHistorySchema:
    """Read how a charge was paid: the attempts, and what was given back."""
    async with held.database.reading() as connection:
        payments, refunds = await PaymentService(connection).history(charge_id)
    return PaymentHistorySchema(
        payments=[PaymentSchema.model_validate(one) for one in payments],
        refunds=[RefundSchema.model_validate(one) for one in refunds],
    )
