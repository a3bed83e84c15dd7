"""Asking the card processor over HTTP, in the request shapes of Stripe.

Every request carries an idempotency key, so that asking again is safe: it is done when there was no
answer, or one that says that nothing is known, after pauses that double and are drawn by lot.
In a dry run nothing is asked: what would be is recorded, and taken to be approved.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import random
from typing import Any, Final

import httpx

from modern.infra.logging import get_logger
from modern.money import Money
from modern.payments.domain import Approved, Outcome, Refused, Unclear
from shadow_compare.dry_run import recorded

ANSWER_SECONDS: Final = 5.0
CONNECT_SECONDS: Final = 2.0
TRIES: Final = 3
FIRST_PAUSE: Final = 0.2
"""Seconds of the longest pause after the first try; it doubles from try to try."""

_OK: Final = 200
# The processor has understood and says no; of everything else nobody knows what it has done.
_REFUSALS: Final = frozenset({400, 402, 404})

_log = get_logger(__name__)


class Processor:
    """The processor at a URL, asked with a secret key; without one nothing is ever asked."""

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._key = key
        self._sleep = sleep
        self._chance = chance
        self._client = httpx.AsyncClient(
            base_url=url,
            timeout=httpx.Timeout(answer_seconds, connect=CONNECT_SECONDS),
            transport=transport,
        )

    async def charge(self, amount: Money, card: str, key: str) -> Outcome:
        """Take an amount from a card."""
        form = {"amount": str(amount.minor), "currency": amount.currency.lower(), "source": card}
        return await self._ask("charges", form, key)

    async def refund(self, payment: str, amount: Money, key: str) -> Outcome:
        """Give an amount of a payment back."""
        return await self._ask("refunds", {"charge": payment, "amount": str(amount.minor)}, key)

    async def close(self) -> None:
        """Close every connection."""
        await self._client.aclose()

    async def _ask(self, what: str, form: Mapping[str, str], key: str) -> Outcome:
        if recorded("payment", what=what, key=key, **form):
            return Approved("dry_run")
        if self._key is None:
            return Unclear("no key of the processor is configured")
        outcome: Outcome = Unclear("it was not asked")
        for number in range(TRIES):
            if number:
                await self._sleep(FIRST_PAUSE * 2 ** (number - 1) * self._chance())
            outcome = await self._ask_once(what, form, key)
            if not isinstance(outcome, Unclear):
                return outcome
            _log.warning("processor.unclear", what=what, key=key, why=outcome.why)
        return outcome

    async def _ask_once(self, what: str, form: Mapping[str, str], key: str) -> Outcome:
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": key}
        try:
            answer = await self._client.post(f"/v1/{what}", data=form, headers=headers)
        except httpx.HTTPError as error:
            return Unclear(repr(error))
        return understood(answer.status_code, _document(answer))


def understood(status: int, document: Mapping[str, Any]) -> Outcome:
    """Return what an answer means."""
    reference = document.get("id")
    if status == _OK and isinstance(reference, str):
        return Approved(reference)
    if status in _REFUSALS:
        error = document.get("error")
        code = error.get("code") if isinstance(error, dict) else None
        return Refused(str(code or f"http_{status}")[:64])
    return Unclear(f"status {status}")


def _document(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        document = answer.json()
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
