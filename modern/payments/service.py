"""What can be done with payments: each in two halves, with the processor between them.

A half is one transaction. The first writes down what will be asked, under a key; the second writes
what was answered. Whoever finds a first half without its second asks again, under the same key.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from modern.billing.domain import Charge, ChargeStatus
from modern.billing.repository import BillingRepository
from modern.errors import Invalid, NotFound
from modern.events.domain import EventKind
from modern.events.repository import EventRepository
from modern.payments.domain import (
    Approved,
    Outcome,
    Payment,
    Refund,
    Standing,
    Unclear,
    amount_to_refund,
    failed,
    given_back,
    paid,
    refundable,
)
from modern.payments.repository import PaymentRepository
from modern.subscriptions.repository import SubscriptionRepository

NO_CARD = "no_payment_method"


class PaymentService:
    """Payments and refunds, over the connection of one request or job."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._charges = BillingRepository(connection)
        self._payments = PaymentRepository(connection)
        self._subscriptions = SubscriptionRepository(connection)
        self._events = EventRepository(connection)

    async def read(self, charge_id: int) -> Charge:
        """Return the charge; raises NotFound."""
        return _known(await self._charges.find(charge_id))

    async def pending(self, subscription_id: int | None, last_id: int, limit: int) -> list[int]:
        """Return at most `limit` ids above `last_id` of charges that wait for payment, by id."""
        return await self._charges.pending(subscription_id, last_id, limit)

    async def history(self, charge_id: int) -> tuple[list[Payment], list[Refund]]:
        """Return what the processor was asked about a charge; raises NotFound."""
        await self.read(charge_id)
        payments = await self._payments.payments_of(charge_id)
        return payments, await self._payments.refunds_of(charge_id)

    async def unsettled(self, before: datetime, limit: int) -> tuple[list[int], list[Refund]]:
        """Return the charges and the refunds that were asked before then and are not settled."""
        return await self._payments.unsettled(before, limit)

    async def begin(self, charge_id: int, key: str, now: datetime) -> Payment | None:
        """Write down that the charge will be asked for; None when there is nothing to ask.

        `key` is used unless the charge was asked for before and nobody knows what came of it.
        What is free is paid here, and what no card is there for fails here.
        """
        charge = _known(await self._charges.lock(charge_id))
        if charge.status is not ChargeStatus.PENDING:
            return None
        asked = await self._payments.asked_payment(charge_id)
        if asked is not None:
            return asked
        if charge.amount.minor == 0:
            await self._pay(charge, None, now)
            return None
        card = await self._payments.card(charge.user_id)
        if card is None:
            await self._payments.add_payment(charge, "", key, now, NO_CARD)
            await self._fail(charge, NO_CARD, now)
            return None
        return await self._payments.add_payment(charge, card, key, now)

    async def settle(self, payment: Payment, outcome: Outcome, now: datetime) -> None:
        """Write what came of a payment; what is unclear stays as it is."""
        if isinstance(outcome, Unclear):
            return
        charge = _known(await self._charges.lock(payment.charge_id))
        if not await self._payments.settle_payment(payment.id, outcome, now):
            return  # somebody else has asked the same meanwhile, and was quicker
        if isinstance(outcome, Approved):
            await self._pay(charge, outcome.reference, now)
        else:
            await self._fail(charge, outcome.code, now)

    async def begin_refund(
        self, charge_id: int, wanted: int | None, client_key: str | None, key: str, now: datetime
    ) -> Refund:
        """Write down what will be asked back, or return what the client has asked for before.

        `wanted` is in hundredths, None for all that is left. Raises NotFound, NotPaid,
        AlreadyRefunded, RefundUnderWay, and Invalid when it is more than is left.
        """
        charge = _known(await self._charges.lock(charge_id))
        refunds = await self._payments.refunds_of(charge_id)
        for refund in refunds:
            if client_key is not None and refund.client_key == client_key:
                return _same(refund, wanted)
        asked = [each.amount.minor for each in refunds if each.standing is Standing.ASKED]
        amount = amount_to_refund(charge, sum(asked), wanted)
        return await self._payments.add_refund(charge, amount, client_key, key, now)

    async def check_refundable(self, charge_id: int) -> None:
        """Raise what speaks against any refund: NotFound, NotPaid, AlreadyRefunded."""
        refundable(await self.read(charge_id))

    async def settle_refund(self, refund: Refund, outcome: Outcome, now: datetime) -> None:
        """Write what came of a refund; what is unclear stays as it is."""
        if isinstance(outcome, Unclear):
            return
        charge = _known(await self._charges.lock(refund.charge_id))
        if not await self._payments.settle_refund(refund.id, outcome, now):
            return
        if isinstance(outcome, Approved):
            await self._charges.save(given_back(charge, refund.amount))
            details = {"refund_id": refund.id, "amount_minor": refund.amount.minor}
            await self._tell(EventKind.REFUND_SUCCEEDED, charge, now, **details)

    async def _pay(self, charge: Charge, reference: str | None, now: datetime) -> None:
        await self._charges.save(paid(charge, reference, now))
        await self._tell(EventKind.PAYMENT_SUCCEEDED, charge, now)

    async def _fail(self, charge: Charge, code: str, now: datetime) -> None:
        await self._charges.save(failed(charge))
        await self._subscriptions.fall_behind(charge.subscription_id, now)
        await self._tell(EventKind.PAYMENT_FAILED, charge, now, code=code)

    async def _tell(
        self, kind: EventKind, charge: Charge, now: datetime, **details: object
    ) -> None:
        payload = {
            "charge_id": charge.id,
            "subscription_id": charge.subscription_id,
            "user_id": charge.user_id,
            "amount_minor": charge.amount.minor,
            "currency": charge.amount.currency,
            "description": charge.description,
        }
        await self._events.add(kind, payload | details, now)


def _known(charge: Charge | None) -> Charge:
    if charge is None:
        raise NotFound("Payment")
    return charge


def _same(refund: Refund, wanted: int | None) -> Refund:
    if wanted is not None and wanted != refund.amount.minor:
        raise Invalid({"amount": "not the one that this idempotency key was used with"})
    return refund
