"""When another attempt is allowed: only where it provably changes nothing twice."""

from __future__ import annotations

from typing import Final

from proxy.outcome import OutcomeKind
from proxy.wire.target import IDEMPOTENT

REPLAY_MAX: Final = 65_536
"""Bytes of a request's body kept for another attempt; with a longer body there is none."""

FALLBACK_STATUSES: Final = frozenset({500, 502, 503, 504})
"""Answers of modern that legacy is asked to do better, before a byte has gone to the client."""

UNSENT: Final = frozenset({OutcomeKind.CONNECT, OutcomeKind.REJECTED})
"""Failures after which the upstream provably knows nothing of the request."""


def may_retry(method: str, kind: OutcomeKind, *, reused: bool, answered: bool) -> bool:
    """Whether the same side may be asked once more, on a fresh connection.

    A reused connection that died before the first byte was most likely closed by the upstream
    while it was idle, so the request was not read; but that is likely, not certain, and so only
    idempotent methods are repeated (RFC 9110, 9.2.2). What fails to connect is not tried again
    here: the other side is the better answer.
    """
    return kind is OutcomeKind.RESET and reused and not answered and method in IDEMPOTENT


def may_fall_back(method: str, kind: OutcomeKind) -> bool:
    """Whether legacy may serve what modern has failed, before a byte has gone to the client.

    Any request that modern provably never saw, because there was no connection for it; otherwise
    only idempotent methods. A POST whose bytes may have been read is never sent twice.
    """
    return kind in UNSENT or method in IDEMPOTENT
