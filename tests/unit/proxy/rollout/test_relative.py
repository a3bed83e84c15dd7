from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.mixture import HOLD_AT, ROLLBACK_AT
from proxy.rollout.relative import (
    R0,
    RATIOS,
    SHARE_LEAST,
    SHARE_MOST,
    RelativeEvidence,
    chance_of_modern,
)


@pytest.mark.parametrize(
    ("ratio", "share", "chance"),
    [
        (1.0, 0.1, 0.1),
        (1.5, 0.1, 1 / 7),
        (50.0, 0.1, 50 / 59),
        (1.0, 0.5, 0.5),
        (3.0, 0.9, 27 / 28),
    ],
)
def test_chance_that_a_failure_is_moderns(ratio: float, share: float, chance: float) -> None:
    """The formula is r w / (r w + 1 - w), as for two sides of which one is asked more often."""
    assert chance_of_modern(ratio, share) == pytest.approx(chance)


def needed(share: float) -> int:
    """Count the failures, all of modern, that prove it."""
    evidence, n = RelativeEvidence(), 0
    while evidence.value < ROLLBACK_AT and n < 1000:
        evidence.add(by_modern=True, share=share)
        n += 1
    return n


def test_strong_at_small_weights_and_blind_at_large_ones() -> None:
    """At 5% to 25% a dozen or two of failures prove it; at 90% even 100 do not."""
    assert needed(0.05) <= 12
    assert needed(0.1) <= 14
    assert needed(0.25) <= 23
    assert needed(0.9) > 100


@pytest.mark.parametrize("share", [0.05, 0.1, 0.5, 0.9])
def test_a_common_cause_proves_nothing(share: float) -> None:
    """When both sides fail alike, failures fall to modern as its share says, and nothing grows."""
    evidence, owed = RelativeEvidence(), 0.0
    for _ in range(2000):
        owed += share
        by_modern = owed >= 1
        owed -= by_modern
        evidence.add(by_modern=by_modern, share=share)
        assert evidence.value < HOLD_AT


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_one_side_alone_says_nothing(share: float) -> None:
    """With nothing to compare, no failure counts."""
    evidence = RelativeEvidence()
    for _ in range(50):
        evidence.add(by_modern=True, share=share)
    assert (evidence.value, evidence.n) == (0.0, 0)


@given(st.floats(1e-9, SHARE_MOST), st.floats(0.0, R0), st.floats(0.0, 1e6))
def test_a_ratio_that_is_tolerated_drives_nothing_up(w: float, ratio: float, r: float) -> None:
    """Up to 1.5 times legacy's risk, an event raises the evidence by at most one on average."""
    yes, no = RelativeEvidence(), RelativeEvidence()
    for each in (yes, no):
        each._r = [r] * len(RATIOS)
    share = max(w, SHARE_LEAST)
    yes.add(by_modern=True, share=share)
    no.add(by_modern=False, share=share)
    q = chance_of_modern(ratio, share)
    assert q * yes.value + (1 - q) * no.value <= (r + 1) * (1 + 1e-9)
