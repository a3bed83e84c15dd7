from __future__ import annotations

from shadow_compare.difference import ValueChanged
from shadow_compare.verdict import Comparison, Verdict


def test_race_keeps_its_differences_but_not_its_weight() -> None:
    """A difference that healed is told as ignored, and is never critical."""
    mismatch = Comparison(
        Verdict.MISMATCH, differences=(ValueChanged(("$", "a"), 1, 2),), critical=True
    )
    race = mismatch.as_race()
    assert (race.verdict, race.reason, race.critical) == (Verdict.IGNORED, "race", False)
    assert race.differences == mismatch.differences


def test_not_compared_has_a_reason() -> None:
    """What was not compared says why."""
    assert Comparison.not_compared("timeout").reason == "timeout"
