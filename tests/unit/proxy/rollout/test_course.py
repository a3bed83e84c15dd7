"""Plans as scripts: what is seen, second by second, and what the plan does about it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.calendar import Closed
from proxy.rollout.course import (
    Cooling,
    CoolsDown,
    Course,
    Done,
    HeldBack,
    Killed,
    NoPlan,
    OffPlan,
    Resumes,
    Standing,
    Takes,
    Waiting,
    Waits,
    course,
    told,
)
from proxy.rollout.gate import Pace, StepEvidence
from proxy.rollout.plan import Hand, Progress
from proxy.routing.rules import GateRules, Match, MirrorRules, RollbackRules, RouteRules, StepRules

FIVE = (
    StepRules(0, shadow=True, until=GateRules(compared=1000, mismatch_rate=0.005)),
    StepRules(1000, hold=900.0, until=GateRules(requests=1000)),
    StepRules(5000, hold=3600.0),
    StepRules(9000, hold=3600.0, approval=True),
    StepRules(10_000, hold=86_400.0),
)
ROUTE = RouteRules(
    "plans", Match("/api/plans"), mirror=MirrorRules(1.0), rollback=RollbackRules(auto_resume=2)
)
ADA = Hand(0.0, "ada", "lunch")
SHUT = Closed("a freeze (holidays)", 1e9)


@dataclass
class Story:
    """A route on its way; every event moves the numbers, and `does` asks what the plan does."""

    route: RouteRules = ROUTE
    steps: tuple[StepRules, ...] = FIVE
    at: Standing = field(default_factory=lambda: Standing(Progress(), StepEvidence()))
    visited: list[int] = field(default_factory=lambda: [0])

    def see(self, seconds: float = 0.0, **counts: int) -> Story:
        """Let time pass in which so much is seen."""
        seen = self.at.seen
        grown = {name: getattr(seen, name) + number for name, number in counts.items()}
        self.at = self.at._replace(seen=replace(seen, held=seen.held + seconds, **grown))
        return self

    def world(self, **facts: Any) -> Story:
        """Change what else is the case."""
        self.at = self.at._replace(**facts)
        return self

    @property
    def does(self) -> Course:
        """What the plan does now."""
        return course(self.route, self.steps, self.at)

    def follow(self) -> Story:
        """Take the step that the plan asks for, as the controller does."""
        due = self.does
        assert isinstance(due, (Takes, Resumes)), told(due)
        self.route = replace(self.route, weight=due.to.step.weight)
        self.at = Standing(Progress(1, due.to.number - 1), StepEvidence())
        self.visited.append(self.route.weight)
        return self


def standing_on(weight: int, **facts: Any) -> Story:
    """Stand on the step with this weight."""
    return Story(replace(ROUTE, weight=weight)).world(**facts)


def test_five_phases() -> None:
    """From 0 to 100, each step when its gate is satisfied and not a moment before."""
    story = Story().see(compared=999)
    assert isinstance(story.does, Waits)
    story.see(compared=1).follow()
    assert isinstance(story.see(899.0, requests=5000).does, Waits)
    story.see(1.0).follow()
    assert isinstance(story.see(3600.0).does, Waits)  # an hour without a request proves nothing
    story.see(requests=20).follow()
    assert told(story.see(3600.0, requests=9000).does) == "step 4 of 5 needs an approval by hand"
    story.world(progress=replace(story.at.progress, approved=ADA)).follow()
    assert story.visited == [0, 1000, 5000, 9000, 10_000]
    assert isinstance(story.see(requests=10**6).does, Done)


@pytest.mark.parametrize(
    ("story", "kind", "words"),
    [
        (Story(steps=()), NoPlan, "no plan; the weight is set by hand"),
        (standing_on(2500), OffPlan,
         "the weight is on no step of the plan; `advance` takes it to 50%"),
        (standing_on(0, progress=Progress(held=ADA)), HeldBack,
         "on hold by ada (lunch); `resume` lets the plan go on"),
        (standing_on(0, killed=True), Killed, "the kill switch is on; no plan moves"),
        (standing_on(0, pace=Pace(0.0, 0.9)).see(compared=788), Waits,
         "step 1 of 5 needs 212 more comparisons, about 4 min"),
        (standing_on(0).see(compared=1000), Takes,
         "step 1 of 5 is satisfied; the next is 10%"),
        (standing_on(0, obstacle="the disk is full").see(compared=1000), Takes,
         "step 1 of 5 is satisfied; the next is 10%, which cannot be taken: the disk is full"),
        (standing_on(0, closed=SHUT, opens=7200.0).see(compared=1000), Waits,
         "step 1 of 5 needs the calendar to open in 2 h: a freeze (holidays)"),
        (standing_on(10_000).see(86_400.0, requests=20), Done,
         "step 5 of 5, the last; nothing more to wait for"),
        (standing_on(10_000, closed=SHUT).see(requests=20), Done,
         "step 5 of 5, the last; needs 1 d more on this step"),
        (standing_on(1000, cooling=Cooling(600.0, 0.0, 1, False)), Waiting,
         "rolled back; waits to be resumed; its cool-down lasts another 10 min"),
        (standing_on(1000, cooling=Cooling(600.0, 60.0, 1, True)), CoolsDown,
         "rolled back; cools down for 9 min, then resumes by itself (1 of 2)"),
        (standing_on(1000, cooling=Cooling(600.0, 600.0, 2, True)), Resumes,
         "cooled down; resumes by itself (2 of 2) at 0%"),
        (standing_on(1000, cooling=Cooling(600.0, 600.0, 3, True)), Waiting,
         "rolled back after resuming by itself 2 of 2 times; waits to be resumed"),
    ],
)  # fmt: skip
def test_every_course_in_words(story: Story, kind: type[Course], words: str) -> None:
    """Whatever a plan does, it is told in one sentence, with what it waits for."""
    assert isinstance(story.does, kind)
    assert told(story.does) == words


def test_it_resumes_at_the_first_step() -> None:
    """What failed at 50% proves itself from the shadow on, each time after twice the wait."""
    story = standing_on(5000, cooling=Cooling(600.0, 600.0, 1, True)).follow()
    assert story.route.weight == 0
    assert isinstance(story.does, Waits)
    story.see(compared=1000).follow()
    assert story.route.weight == 1000


@pytest.mark.parametrize(
    "facts", [{"killed": True}, {"closed": SHUT, "opens": 60.0}, {"progress": Progress(held=ADA)}]
)
def test_nothing_resumes_by_itself_while_no_step_would_be_taken(facts: dict[str, Any]) -> None:
    """Kill switch, calendar and a hold keep a route back as they keep it where it is."""
    story = standing_on(1000, cooling=Cooling(600.0, 9999.0, 1, True)).world(**facts)
    assert isinstance(story.does, (CoolsDown, Waiting))


def test_what_was_rolled_back_by_hand_is_resumed_by_hand() -> None:
    """However often it may resume by itself: a person took it back, and had a reason."""
    story = standing_on(1000, cooling=Cooling(0.0, 9999.0, 0, False))
    assert isinstance(story.does, Waiting)


def test_without_a_plan_nothing_resumes_by_itself() -> None:
    """There is no first step to begin at."""
    story = Story(steps=()).world(cooling=Cooling(600.0, 600.0, 1, True))
    assert isinstance(story.does, Waiting)


WEIGHTS = st.sampled_from([0, 1000, 2500, 5000, 9000, 10_000])
HANDS = st.sampled_from([None, ADA])
EVIDENCE = st.builds(
    StepEvidence,
    held=st.floats(0, 1e5),
    requests=st.integers(0, 5000),
    bad=st.integers(0, 50),
    compared=st.integers(0, 5000),
    mismatches=st.integers(0, 50),
)
COOLINGS = st.none() | st.builds(
    Cooling, st.just(600.0), st.floats(0, 1200.0), st.integers(0, 4), st.booleans()
)
STANDINGS = st.builds(
    Standing,
    progress=st.builds(Progress, st.just(1), st.integers(0, 6), HANDS, HANDS),
    seen=EVIDENCE,
    pace=st.builds(Pace, st.floats(0, 100), st.floats(0, 100)),
    closed=st.sampled_from([None, SHUT]),
    opens=st.floats(0, 1e6),
    cooling=COOLINGS,
    killed=st.booleans(),
)


@given(WEIGHTS, STANDINGS)
def test_a_step_is_taken_only_when_everything_allows_it(weight: int, at: Standing) -> None:
    """No hold, closed calendar, kill switch or rollback stands in its way, and it goes up."""
    route = replace(ROUTE, weight=weight)
    does = course(route, FIVE, at)
    assert told(does)
    if isinstance(does, Takes):
        assert at.progress.held is None
        assert at.closed is None
        assert not at.killed
        assert at.cooling is None
        assert does.to.step.weight > weight
        assert at.seen.held >= does.place.step.hold
        served = at.seen.requests if weight else at.seen.compared
        assert served >= ROUTE.rollback.min_requests
    if isinstance(does, Resumes):
        assert at.cooling is not None
        assert at.cooling.cooled >= at.cooling.cooldown
        assert at.cooling.times <= ROUTE.rollback.auto_resume


@given(WEIGHTS, STANDINGS)
def test_without_evidence_nothing_moves(weight: int, at: Standing) -> None:
    """Missing data is never a pass, for however long it is missing."""
    nothing = at._replace(seen=StepEvidence(held=1e9), cooling=None)
    assert not isinstance(course(replace(ROUTE, weight=weight), FIVE, nothing), Takes)
