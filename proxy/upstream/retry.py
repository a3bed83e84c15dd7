"""When another attempt is allowed: only where it changes nothing twice, and not too many at once.

Retries help against a failure here and there. Against a side that fails as a whole they multiply
the load it fails under, so those in flight are bounded by a share of all that is in flight.
"""

from __future__ import annotations

from typing import Final

from proxy.outcome import OutcomeKind
from proxy.routing.upstream_rules import RetryBudgetRules
from proxy.wire.target import IDEMPOTENT

REPLAY_MAX: Final = 65_536
"""Bytes of a request's body kept for another attempt; with a longer body there is none."""

FALLBACK_STATUSES: Final = frozenset({500, 502, 503, 504})
"""Answers of modern that legacy is asked to do better, before a byte has gone to the client."""

UNSENT: Final = frozenset({OutcomeKind.CONNECT, OutcomeKind.REJECTED})
"""Failures after which the upstream provably knows nothing of the request."""


def may_retry(
    method: str, kind: OutcomeKind, *, reused: bool, answered: bool, keyed: bool = False
) -> bool:
    """Whether the same side may be asked once more, on a fresh connection.

    A reused connection that died before the first byte was most likely closed by the upstream
    while it was idle, so the request was not read; but that is likely, not certain, and so only
    idempotent methods are repeated (RFC 9110, 9.2.2), and those whose Idempotency-Key lets the
    application tell that it has them already (`keyed`). What fails to connect is not tried again
    here: the other side is the better answer.
    """
    return kind is OutcomeKind.RESET and reused and not answered and (keyed or method in IDEMPOTENT)


def may_fall_back(method: str, kind: OutcomeKind) -> bool:
    """Whether legacy may serve what modern has failed, before a byte has gone to the client.

    Any request that modern provably never saw, because there was no connection for it; otherwise
    only idempotent methods. A POST whose bytes may have been read is never sent twice; a key makes
    no difference, for the other application does not know which keys modern has seen.
    """
    return kind in UNSENT or method in IDEMPOTENT


class RetryBudget:
    """How many second attempts on one side may be in flight in one worker.

    Whoever takes one gives it back when its exchange has ended.
    """

    __slots__ = ("_rules", "fallbacks", "retries")

    def __init__(self, rules: RetryBudgetRules) -> None:
        self._rules: Final = rules
        self.retries = 0
        self.fallbacks = 0

    def take_retry(self, active: int) -> bool:
        """Take one for a retry, of `active` requests in flight; False when there is none left."""
        if self.retries + 1 > max(self._rules.least, self._rules.share * active):
            return False
        self.retries += 1
        return True

    def has_fallback(self, active: int) -> bool:
        """Whether `take_fallback` would give one."""
        return self.fallbacks + 1 <= max(self._rules.least, self._rules.fallbacks * active)

    def take_fallback(self, active: int) -> bool:
        """Take one for a request that the other side has failed after an attempt."""
        if not self.has_fallback(active):
            return False
        self.fallbacks += 1
        return True

    def give_retry(self) -> None:
        """Give back what `take_retry` took."""
        self.retries -= 1

    def give_fallback(self) -> None:
        """Give back what `take_fallback` took."""
        self.fallbacks -= 1
