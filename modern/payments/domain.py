"""Payments and refunds: how a charge moves, what may be given back, what a processor can say.

A payment is *asked* for before the processor hears of it, and settled by what the processor said.
In between it may have happened or not: then the same is asked again, under the same key.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from modern.billing.domain import Charge, ChargeStatus
from modern.errors import Conflict, Invalid
from modern.money import Money


class Happening(StrEnum):
    """What can happen to a charge."""

    APPROVED = "approved"
    DECLINED = "declined"
    PARTLY_REFUNDED = "partly refunded"
    REFUNDED = "refunded"


STATES: Final[Mapping[ChargeStatus, Mapping[Happening, ChargeStatus]]] = {
    ChargeStatus.PENDING: {
        Happening.APPROVED: ChargeStatus.PAID,
        Happening.DECLINED: ChargeStatus.FAILED,
    },
    ChargeStatus.PAID: {
        Happening.PARTLY_REFUNDED: ChargeStatus.PAID,
        Happening.REFUNDED: ChargeStatus.REFUNDED,
    },
    ChargeStatus.FAILED: {},
    ChargeStatus.REFUNDED: {},
}
"""Where a charge goes from where it stands; what is not in the table does not happen."""


class Standing(StrEnum):
    """Where one request to the processor stands."""

    ASKED = "asked"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Approved:
    """The processor did it; `reference` is its name for what it did."""

    reference: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The processor did nothing and never will; `code` is its word for why."""

    code: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Nobody knows: no answer, or none that says; `why` is for the log."""

    why: str


Outcome = Approved | Refused | Unclear


@dataclass(frozen=True, slots=True)
class Payment:
    """One attempt to have a charge paid by a card; `key` makes asking twice the same as once."""

    id: int
    charge_id: int
    amount: Money
    method: str
    key: str
    standing: Standing
    reference: str | None
    code: str | None
    asked_at: datetime
    settled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Refund:
    """An amount of a charge that was given back, or is about to be.

    `payment` is the processor's name for what was paid; `client_key` the one that the client gave
    its request, if any, and `key` the one that the processor is asked with.
    """

    id: int
    charge_id: int
    payment: str
    amount: Money
    client_key: str | None
    key: str
    standing: Standing
    reference: str | None
    code: str | None
    asked_at: datetime
    settled_at: datetime | None


class NotPaid(Conflict):
    """What was not paid cannot be given back."""

    def __init__(self) -> None:
        super().__init__("Not paid")


class AlreadyRefunded(Conflict):
    """All of it was given back."""

    def __init__(self) -> None:
        super().__init__("Already refunded")


class RefundUnderWay(Conflict):
    """What is left was asked back from the processor, which has not answered yet."""

    def __init__(self) -> None:
        super().__init__("Refund under way")


class RefundFailed(Conflict):
    """The processor refuses."""

    def __init__(self) -> None:
        super().__init__("Refund failed")


class ProcessorSilent(Conflict):
    """The processor does not answer; what it has done will be found out."""

    def __init__(self) -> None:
        super().__init__("Payment processor does not answer")


def moved(charge: Charge, happening: Happening) -> ChargeStatus:
    """Return where the charge stands afterwards; raises ValueError for what cannot happen."""
    try:
        return STATES[charge.status][happening]
    except KeyError:
        raise ValueError(f"a {charge.status} charge cannot be {happening}") from None


def paid(charge: Charge, reference: str | None, now: datetime) -> Charge:
    """Return the charge as paid now; a free one has no reference."""
    status = moved(charge, Happening.APPROVED)
    return replace(charge, status=status, paid_at=now, reference=reference)


def failed(charge: Charge) -> Charge:
    """Return the charge as declined."""
    return replace(charge, status=moved(charge, Happening.DECLINED))


def given_back(charge: Charge, amount: Money) -> Charge:
    """Return the charge with so much given back; raises ValueError when less is left."""
    left = charge.amount.minor - charge.refunded.minor
    if amount.currency != charge.amount.currency or not 0 < amount.minor <= left:
        raise ValueError(f"{amount} of {left} {charge.amount.currency} cannot be given back")
    happening = Happening.REFUNDED if amount.minor == left else Happening.PARTLY_REFUNDED
    refunded = Money(charge.refunded.minor + amount.minor, amount.currency)
    return replace(charge, status=moved(charge, happening), refunded=refunded)


def refundable(charge: Charge) -> None:
    """Raise NotPaid or AlreadyRefunded when nothing of the charge can be given back."""
    if charge.status in {ChargeStatus.PENDING, ChargeStatus.FAILED}:
        raise NotPaid
    if charge.status is ChargeStatus.REFUNDED or charge.refunded.minor >= charge.amount.minor:
        raise AlreadyRefunded


def amount_to_refund(charge: Charge, under_way: int, wanted: int | None) -> Money:
    """Return what to give back: what is wanted, or all that is left (hundredths of its currency).

    `under_way` is what was asked of the processor and is not settled: it counts as given back.
    Raises NotPaid, AlreadyRefunded, RefundUnderWay, and Invalid for more than is left.
    """
    refundable(charge)
    left = charge.amount.minor - charge.refunded.minor - under_way
    if left <= 0:
        raise RefundUnderWay
    if wanted is not None and wanted > left:
        raise Invalid({"amount": "too much"})
    return Money(left if wanted is None else wanted, charge.amount.currency)
