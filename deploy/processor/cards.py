"""What each token of a card makes the processor do, the same each time (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Approves:
    """The card pays."""


@dataclass(frozen=True, slots=True)
class Declines:
    """The card's bank says no; `code` is the processor's word for why."""

    code: str


@dataclass(frozen=True, slots=True)
class LosesTheAnswer:
    """The card pays, and the first answer comes when nobody waits for it any more."""


@dataclass(frozen=True, slots=True)
class Fails:
    """The processor itself fails and nothing is charged; `times` (None: always), then it pays."""

    status: int
    times: int | None


Behaviour = Approves | Declines | LosesTheAnswer | Fails

CARDS: Final[dict[str, Behaviour]] = {
    "tok_visa": Approves(),
    "tok_mastercard": Approves(),
    "tok_chargeDeclined": Declines("card_declined"),
    "tok_chargeDeclinedInsufficientFunds": Declines("insufficient_funds"),
    "tok_chargeDeclinedExpiredCard": Declines("expired_card"),
    "tok_lostAnswer": LosesTheAnswer(),
    "tok_unavailable": Fails(503, times=None),
    "tok_flaky": Fails(503, times=2),
}
