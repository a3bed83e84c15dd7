"""Payments and refunds from end to end: begin, commit, ask the processor, settle, commit.

No transaction is open while the processor is asked. Killed in between, `recover` goes on later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, TypeVar
from uuid import uuid4

from modern.billing.domain import Charge, ChargeStatus
from modern.infra.resources import Resources
from modern.payments.domain import (
    Outcome,
    ProcessorSilent,
    Refund,
    RefundFailed,
    Refused,
    Standing,
    Unclear,
)
from modern.payments.service import PaymentService
from modern.subscriptions.service import SubscriptionService
from shadow_compare.dry_run import is_dry_run

AT_ONCE: Final = 10
"""Charges that one run asks the processor for at the same time."""

PAGE: Final = 500

PATIENCE: Final = timedelta(minutes=2)
"""How long an answer is left to whoever has asked: longer than all its tries together."""

TELL: Final = "events.tell"


@dataclass(frozen=True, slots=True)
class Run:
    """What a billing run has done: cycles billed, and the charges it tried, by id."""

    billed: int
    charges: list[Charge]

    def count(self, status: ChargeStatus) -> int:
        """Return how many of the charges stand there now."""
        return sum(charge.status is status for charge in self.charges)


async def run_billing(held: Resources, subscription_id: int | None, limit: int) -> Run:
    """Bill at most `limit` cycles that are due, then try at most as many pending charges.

    Of one subscription, or of all; raises NotFound.
    """
    async with held.database.reading() as connection:
        subscriptions = SubscriptionService(connection)
        if subscription_id is not None:
            await subscriptions.read(subscription_id)
        due = await subscriptions.due(held.now(), subscription_id, limit)
    billed = await _each(due, lambda number: bill(held, number))
    async with held.database.reading() as connection:
        pending = await PaymentService(connection).pending(subscription_id, 0, limit)
    charges = await _each(pending, lambda number: collect(held, number))
    if charges:
        await held.queue.send(TELL)
    return Run(sum(billed), charges)


async def run_all_billing(held: Resources) -> None:
    """Bill every cycle that is due, and try every pending charge once."""
    # A subscription may be several cycles behind: it is asked for until none is due.
    while due := await _due(held):
        await _each(due, lambda number: bill(held, number))
    last = 0
    while pending := await _pending(held, last):
        await _each(pending, lambda number: collect(held, number))
        last = pending[-1]
    await held.queue.send(TELL)


async def bill(held: Resources, subscription_id: int) -> bool:
    """Bill one cycle of a subscription; False when none is due."""
    async with held.database.writing() as connection:
        return await SubscriptionService(connection).bill(subscription_id, held.now())


async def collect(held: Resources, charge_id: int) -> Charge:
    """Have a pending charge paid, and return it as it stands then; raises NotFound."""
    async with held.database.writing() as connection:
        payment = await PaymentService(connection).begin(charge_id, uuid4().hex, held.now())
    if payment is not None:
        outcome = await held.processor.charge(payment.amount, payment.method, payment.key)
        _count(held, "charge", outcome)
        async with held.database.writing() as connection:
            await PaymentService(connection).settle(payment, outcome, held.now())
    async with held.database.reading() as connection:
        return await PaymentService(connection).read(charge_id)


async def refund(
    held: Resources, charge_id: int, wanted: int | None, client_key: str | None
) -> Charge:
    """Give back what was paid, in hundredths or all that is left, and return the charge then.

    Raises NotFound, NotPaid, AlreadyRefunded, RefundUnderWay, RefundFailed, ProcessorSilent, and
    Invalid for more than is left.
    """
    async with held.database.writing() as connection:
        begun = await PaymentService(connection).begin_refund(
            charge_id, wanted, client_key, uuid4().hex, held.now()
        )
    if begun.standing is Standing.REFUSED:
        raise RefundFailed
    if begun.standing is Standing.ASKED:
        outcome = await _give_back(held, begun)
        if isinstance(outcome, Refused):
            raise RefundFailed
        if isinstance(outcome, Unclear):
            raise ProcessorSilent
        await held.queue.send(TELL)
    async with held.database.reading() as connection:
        return await PaymentService(connection).read(charge_id)


async def recover(held: Resources) -> int:
    """Ask again for what was asked and never settled; returns for how much."""
    async with held.database.reading() as connection:
        before = held.now() - PATIENCE
        charges, refunds = await PaymentService(connection).unsettled(before, PAGE)
    await _each(charges, lambda number: collect(held, number))
    await _each(refunds, lambda one: _give_back(held, one))
    if charges or refunds:
        await held.queue.send(TELL)
    return len(charges) + len(refunds)


async def _give_back(held: Resources, begun: Refund) -> Outcome:
    outcome = await held.processor.refund(begun.payment, begun.amount, begun.key)
    _count(held, "refund", outcome)
    async with held.database.writing() as connection:
        await PaymentService(connection).settle_refund(begun, outcome, held.now())
    return outcome


async def _due(held: Resources) -> list[int]:
    async with held.database.reading() as connection:
        return await SubscriptionService(connection).due(held.now(), None, PAGE)


async def _pending(held: Resources, last: int) -> list[int]:
    async with held.database.reading() as connection:
        return await PaymentService(connection).pending(None, last, PAGE)


def _count(held: Resources, what: str, outcome: Outcome) -> None:
    held.metrics.processor_asked.labels(what, type(outcome).__name__.lower()).inc()


Thing = TypeVar("Thing")
Result = TypeVar("Result")


async def _each(
    things: Sequence[Thing], work: Callable[[Thing], Awaitable[Result]]
) -> list[Result]:
    """Do the work for each, so many at once, and return the results in the same order.

    All are tried, whatever fails; then the first failure is raised. A dry run has one connection,
    so in one they follow each other.
    """
    room = asyncio.Semaphore(1 if is_dry_run() else AT_ONCE)

    async def one(thing: Thing) -> Result:
        async with room:
            return await work(thing)

    done = await asyncio.gather(*(one(thing) for thing in things), return_exceptions=True)
    failures = [each for each in done if isinstance(each, BaseException)]
    if failures:
        raise failures[0]
    return [each for each in done if not isinstance(each, BaseException)]
