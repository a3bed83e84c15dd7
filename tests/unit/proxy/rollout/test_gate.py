from __future__ import annotations

import pytest

from proxy.rollout.gate import StepEvidence, upper_bound, waits_for
from proxy.routing.rules import GateRules, StepRules


def step(hold: float = 0.0, **until: float) -> StepRules:
    """Give a step with such a gate."""
    return StepRules(weight=1000, hold=hold, until=GateRules(**until))  # type: ignore[arg-type] # counts are whole floats


@pytest.mark.parametrize(
    ("rules", "seen", "waits"),
    [
        (step(), StepEvidence(0.0), ()),
        (step(hold=900.0), StepEvidence(100.0), ("15 min more on this step",)),
        (step(hold=900.0), StepEvidence(-760.0), ("40 s more on this step",)),
        (step(hold=7200.0), StepEvidence(100.0), ("2 h more on this step",)),
        (step(hold=100.0), StepEvidence(0.0), ()),
        (step(requests=1000), StepEvidence(0.0, requests=400), ("600 more requests on modern",)),
        (step(requests=1000), StepEvidence(0.0, requests=1000), ()),
        (step(compared=10), StepEvidence(0.0, compared=3), ("7 more comparisons",)),
        (step(error_rate=0.01), StepEvidence(0.0), ("the error rate to be measured",)),
        (step(error_rate=0.01), StepEvidence(0.0, requests=1000), ()),
        (step(mismatch_rate=0.01), StepEvidence(0.0, compared=1000), ()),
    ],
)
def test_waits_for(rules: StepRules, seen: StepEvidence, waits: tuple[str, ...]) -> None:
    """A gate names what is missing at second 100, in words, and nothing once it is satisfied."""
    assert waits_for(rules, seen, 100.0) == waits


def test_rate_must_be_proved() -> None:
    """No mismatch in 100 does not prove a rate below 0.5%."""
    [missing] = waits_for(step(mismatch_rate=0.005), StepEvidence(0.0, compared=100), 100.0)
    assert missing.startswith("the mismatch rate to be proved at most 0.50%")


@pytest.mark.parametrize(
    ("hits", "n", "bound"), [(0, 0, 1.0), (0, 1000, 0.0027), (10, 1000, 0.0167), (1, 1, 1.0)]
)
def test_upper_bound(hits: int, n: int, bound: float) -> None:
    """With no hits the bound is close to 3 / n; without data it is 1."""
    assert upper_bound(hits, n) == pytest.approx(bound, rel=0.02)
