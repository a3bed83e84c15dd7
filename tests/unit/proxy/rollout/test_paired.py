from __future__ import annotations

import random

from proxy.rollout.mixture import HOLD_AT, ROLLBACK_AT
from proxy.rollout.paired import PairedEvidence


def test_pairs_in_which_modern_alone_fails_prove_it() -> None:
    """About forty mirrored requests are enough, at any weight."""
    evidence = PairedEvidence()
    while evidence.value < ROLLBACK_AT:
        evidence.add(modern_failed=True)
    assert 30 <= evidence.n <= 45
    assert evidence.hits == evidence.n


def test_both_failing_by_turns_proves_nothing() -> None:
    """Where chance decides which side fails, the evidence stays low."""
    chance, evidence = random.Random(5), PairedEvidence()
    for _ in range(20_000):
        evidence.add(modern_failed=chance.random() < 0.5)
        assert evidence.value < HOLD_AT
