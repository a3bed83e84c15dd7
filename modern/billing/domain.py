"""What a charge is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from modern.money import Money


class ChargeStatus(StrEnum):
    """Where a charge stands."""

    PENDING = "pending"
    PAID = "paid"
    FAILED = "failed"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True)
class Charge:
    """One amount that a subscription has caused, whether it was paid or not.

    `refunded` is what was given back of it, `reference` the processor's name for the payment.
    """

    id: int
    subscription_id: int
    user_id: int
    amount: Money
    status: ChargeStatus
    description: str
    billed_at: datetime
    paid_at: datetime | None
    refunded: Money
    reference: str | None


@dataclass(frozen=True, slots=True)
class ChargeDraft:
    """A charge that was decided on and has no number yet; it is born pending."""

    subscription_id: int
    user_id: int
    amount: Money
    description: str
    billed_at: datetime
