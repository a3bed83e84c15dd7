"""What the processor knows: charges, what was given back of them, and what it has answered (pure).

A ledger is a function of the requests it was asked, in their order: a processor that starts again
asks itself what it has written down, and knows all it knew.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

from deploy.processor.cards import CARDS, Approves, Declines, Fails, LosesTheAnswer

_DIGITS: Final = re.compile(r"[0-9]{1,10}")
_CURRENCY: Final = re.compile(r"[a-z]{3}")
_IMPORTED: Final = re.compile(r"ch_imported_[0-9]+_(?P<amount>[0-9]{1,10})_(?P<currency>[a-z]{3})")
"""A charge from before this ledger, such as `ch_imported_901_2900_eur`: its id says what it was."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: who asks (the name in the key), under which idempotency key, for what."""

    caller: str
    key: str
    path: str
    form: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; `withheld` when it comes too late for whoever asked first."""

    status: int
    body: Mapping[str, Any]
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Charge:
    """An amount that was taken from a card, in minor units, and what was given back of it."""

    id: str
    amount: int
    currency: str
    refunded: int = 0

    def shown(self) -> dict[str, Any]:
        """Return it as the processor spells it."""
        return {
            "id": self.id,
            "object": "charge",
            "amount": self.amount,
            "amount_refunded": self.refunded,
            "currency": self.currency,
            "status": "succeeded",
        }


class Ledger:
    """Charges and refunds of everybody; idempotency keys belong to the caller who chose them."""

    def __init__(self) -> None:
        self._charges: dict[str, Charge] = {}
        self._refunds = 0
        self._failures: Counter[tuple[str, str]] = Counter()
        self._answered: dict[tuple[str, str], tuple[Asked, Reply]] = {}

    def ask(self, asked: Asked) -> Reply:
        """Carry a request out, or repeat what was answered when its key was first used."""
        known = self._answered.get((asked.caller, asked.key)) if asked.key else None
        if known is not None:
            first, reply = known
            if first != asked:
                text = "this idempotency key was used for another request"
                return _error(400, "idempotency_error", text, kind="idempotency_error")
            return replace(reply, withheld=False)
        reply = self._charge(asked) if asked.path == "/v1/charges" else self._refund(asked)
        if asked.key and reply.status < 500:  # of a failure nothing is kept: ask again
            self._answered[asked.caller, asked.key] = (asked, reply)
        return reply

    def charge(self, identifier: str) -> Charge | None:
        """Return a charge, or None; one that was imported is known by its id alone."""
        imported = _IMPORTED.fullmatch(identifier)
        if identifier not in self._charges and imported is not None:
            return Charge(identifier, int(imported["amount"]), imported["currency"])
        return self._charges.get(identifier)

    def _charge(self, asked: Asked) -> Reply:
        amount, currency = asked.form.get("amount", ""), asked.form.get("currency", "")
        if not _DIGITS.fullmatch(amount) or int(amount) == 0:
            return _error(
                400, "parameter_invalid_integer", "amount must be above 0, in minor units"
            )
        if not _CURRENCY.fullmatch(currency):
            return _error(400, "parameter_invalid", "currency must be three small letters")
        card = CARDS.get(asked.form.get("source", ""))
        match card:
            case None:
                return _error(400, "resource_missing", "there is no such source")
            case Declines(code):
                return _error(402, code, "The card was declined.", kind="card_error")
            case Fails(status, times):
                self._failures[asked.caller, asked.key] += 1
                if times is None or self._failures[asked.caller, asked.key] <= times:
                    return _error(status, "unavailable", "try again", kind="api_error")
                return self._taken(int(amount), currency)
            case Approves():
                return self._taken(int(amount), currency)
            case LosesTheAnswer():
                return replace(self._taken(int(amount), currency), withheld=True)
            case _:
                assert_never(card)

    def _taken(self, amount: int, currency: str) -> Reply:
        charge = Charge(f"ch_{len(self._charges) + 1:08d}", amount, currency)
        self._charges[charge.id] = charge
        return Reply(200, charge.shown())

    def _refund(self, asked: Asked) -> Reply:
        charge = self.charge(asked.form.get("charge", ""))
        if charge is None:
            return _error(404, "resource_missing", "there is no such charge")
        left = charge.amount - charge.refunded
        amount = asked.form.get("amount", str(left))
        if left == 0:
            return _error(400, "charge_already_refunded", "nothing is left of this charge")
        if not _DIGITS.fullmatch(amount) or int(amount) == 0:
            return _error(
                400, "parameter_invalid_integer", "amount must be above 0, in minor units"
            )
        if int(amount) > left:
            return _error(400, "amount_too_large", f"only {left} is left of this charge")
        self._charges[charge.id] = replace(charge, refunded=charge.refunded + int(amount))
        self._refunds += 1
        body = {
            "id": f"re_{self._refunds:08d}",
            "object": "refund",
            "amount": int(amount),
            "charge": charge.id,
            "currency": charge.currency,
            "status": "succeeded",
        }
        return Reply(200, body)


def _error(status: int, code: str, message: str, kind: str = "invalid_request_error") -> Reply:
    return Reply(status, {"error": {"type": kind, "code": code, "message": message}})
