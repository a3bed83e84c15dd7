from __future__ import annotations

import pytest

from proxy.rollout.phase import TRANSITIONS, Cause, Phase, may_move, phase_of, table_text


@pytest.mark.parametrize(
    ("weight", "share", "rolled_back", "phase"),
    [
        (0, 0.0, False, Phase.LEGACY),
        (0, 0.1, False, Phase.SHADOW),
        (1, 0.0, False, Phase.CANARY),
        (9_999, 1.0, False, Phase.CANARY),
        (10_000, 1.0, False, Phase.MODERN),
        (10_000, 1.0, True, Phase.ROLLED_BACK),
        (0, 0.0, True, Phase.ROLLED_BACK),
    ],
)
def test_phase_follows_from_weight_mirror_and_rollback(
    weight: int, share: float, rolled_back: bool, phase: Phase
) -> None:
    """Where a route stands follows from the rules and from what is rolled back."""
    assert phase_of(weight, share, rolled_back=rolled_back) is phase


def test_only_resume_leads_out_of_rolled_back() -> None:
    """No edit of the rules, no step and no second rollback moves a route that is rolled back."""
    out = [cause for cause in Cause if may_move(Phase.ROLLED_BACK, cause)]
    assert out == [Cause.RESUME]


def test_no_step_of_a_plan_leads_back() -> None:
    """A plan moves more to modern, or as much; from where all are there it leads nowhere."""
    onward = {
        phase: causes.get(Cause.ADVANCE, frozenset()) for phase, causes in TRANSITIONS.items()
    }
    serving = {Phase.CANARY, Phase.MODERN}
    assert onward[Phase.CANARY] == serving
    assert onward[Phase.SHADOW] - serving == {Phase.SHADOW}
    assert onward[Phase.MODERN] == {Phase.MODERN}


def test_nothing_else_can_be_resumed() -> None:
    """A route in force can be moved and rolled back, but not resumed."""
    for phase in set(Phase) - {Phase.ROLLED_BACK}:
        assert may_move(phase, Cause.RULES)
        assert may_move(phase, Cause.ROLLBACK)
        assert not may_move(phase, Cause.RESUME)


def test_table_is_complete_and_prints() -> None:
    """Every phase has its row, and the printed table names every move."""
    assert set(TRANSITIONS) == set(Phase)
    assert "ROLLED_BACK  resume    -> CANARY, LEGACY, MODERN, SHADOW" in table_text().splitlines()
