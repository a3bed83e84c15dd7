from __future__ import annotations

import pytest

from proxy.outcome import OutcomeKind
from proxy.upstream.retry import may_fall_back, may_retry

IDEMPOTENT = ("GET", "HEAD", "OPTIONS", "PUT", "DELETE")
OTHERS = ("POST", "PATCH")


@pytest.mark.parametrize("method", [*IDEMPOTENT, *OTHERS])
@pytest.mark.parametrize("kind", list(OutcomeKind))
@pytest.mark.parametrize("reused", [True, False])
@pytest.mark.parametrize("answered", [True, False])
def test_only_a_stale_connection_is_a_reason_to_retry(
    method: str, kind: OutcomeKind, reused: bool, answered: bool
) -> None:
    """It was idle, it died before the first byte, and asking twice changes nothing."""
    allowed = method in IDEMPOTENT and kind is OutcomeKind.RESET and reused and not answered
    assert may_retry(method, kind, reused=reused, answered=answered) is allowed


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_only_what_modern_never_saw_is_sent_to_legacy_whatever_it_does(kind: OutcomeKind) -> None:
    """A POST whose bytes may have been read is never sent twice."""
    assert all(may_fall_back(method, kind) for method in IDEMPOTENT)
    unseen = kind in (OutcomeKind.CONNECT, OutcomeKind.REJECTED)
    assert all(may_fall_back(method, kind) is unseen for method in OTHERS)
