from __future__ import annotations

from proxy.rollout.jump import ARMED_SECONDS, JumpEvidence
from proxy.rollout.mixture import HOLD_AT, ROLLBACK_AT


class Scene:
    """One route, whose answers are counted."""

    def __init__(self) -> None:
        self.jump = JumpEvidence()
        self.answered = 0
        self.now = 0.0

    def answers(self, good: int, denied: int = 0, *, by_modern: bool = False) -> None:
        """A side has answered."""
        self.answered += good + denied
        self.jump.add(
            by_modern=by_modern, good=good, denied=denied, answered=self.answered, now=self.now
        )

    def step(self) -> None:
        """The weight is raised."""
        self.jump.step(self.answered, self.now)

    @property
    def value(self) -> float:
        """The evidence of a jump."""
        return 0.0 if self.jump.modern is None else self.jump.modern.value


def test_a_broken_session_bridge_is_proved_by_a_handful() -> None:
    """Where 1% was denied before, eight customers who are logged out by the step are enough."""
    scene = Scene()
    scene.answers(990, 10)
    scene.step()
    for _ in range(8):
        scene.answers(0, 1, by_modern=True)
    assert scene.value >= ROLLBACK_AT


def test_what_was_usual_before_is_no_jump() -> None:
    """A route on which a third is always denied, as a login is, alarms nobody."""
    scene = Scene()
    scene.answers(6700, 3300)
    scene.step()
    for _ in range(500):
        scene.answers(2, 1, by_modern=True)
        assert scene.value < HOLD_AT


def test_without_a_past_legacy_tells_what_is_usual() -> None:
    """When a route begins at a weight, what legacy denies meanwhile is the measure."""
    scene = Scene()
    scene.step()
    scene.answers(0, 50, by_modern=True)
    assert scene.value == 0.0
    scene.answers(500)
    for _ in range(8):
        scene.answers(0, 1, by_modern=True)
    assert scene.value >= ROLLBACK_AT


def test_only_right_after_a_step() -> None:
    """Ten minutes later what is denied is no longer the step's doing, and is what is usual."""
    scene = Scene()
    scene.answers(1000)
    scene.step()
    scene.now = ARMED_SECONDS
    scene.answers(0, 50, by_modern=True)
    assert not scene.jump.is_armed
    assert scene.value == 0.0
    scene.answers(50)
    scene.step()
    scene.answers(0, 50, by_modern=True)
    assert scene.value < HOLD_AT


def test_a_second_step_keeps_the_evidence() -> None:
    """Evidence is kept over a change of the weight."""
    scene = Scene()
    scene.answers(1000)
    scene.step()
    scene.answers(0, 3, by_modern=True)
    before = scene.value
    scene.step()
    assert scene.value == before


def test_it_outlives_a_restart() -> None:
    """What began to grow goes on growing."""
    scene, again = Scene(), Scene()
    assert scene.jump.kept() is None
    scene.answers(1000)
    scene.step()
    assert scene.jump.kept() is None
    scene.answers(0, 3, by_modern=True)
    kept = scene.jump.kept()
    assert kept is not None
    again.jump.restore(kept, 5.0)
    assert again.value == scene.value
    assert again.jump.is_armed
