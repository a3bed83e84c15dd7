"""Plans on their way: a controller over doubles, and what happens to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from proxy.control.controller import Controller
from proxy.control.stepper import AGAIN, PLAN
from proxy.rollout.phase import Phase
from tests.support_control import Scene

RULES = """\
# Who serves what.
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
defaults:
  plan: standard
  rollback: {auto_resume: 2, cooldown: 10m}
plans:
  standard:
    - {weight: 0%, until: {compared: 1000, mismatch_rate: 0.5%}}
    - {weight: 10%, hold: 1m, until: {requests: 100}}
    - {weight: 50%, hold: 2s}
    - {weight: 90%, approval: true}
    - {weight: 100%}
routes:
  - id: plans            # the first to move
    match: {path: /api/plans}
    weight: 0%           # see ticket
    mirror: {share: 100%}
  - id: everything-else
    match: {path: /*}
    plan: standard
"""
FREEZE = "calendar:\n  zone: UTC\n  freeze: [{%s}]\n"


@pytest.fixture
def place(tmp_path: Path) -> Scene:
    """Give a state directory with a plan, and no controller yet."""
    (tmp_path / "routing_rules.yaml").write_text(RULES)
    return Scene(tmp_path)


@pytest.fixture
async def scene(place: Scene) -> Scene:
    """Give a route in the shadow, at the first step of its plan."""
    await place.start()
    return place


@pytest.fixture
def controller(scene: Scene) -> Controller:
    """Give the controller of the scene."""
    return scene.controller


async def to_ten(scene: Scene) -> None:
    """Let the shadow prove itself."""
    scene.comparisons("match", 1000)
    await scene.steps()
    assert scene.route().weight_in_force == 1000


async def hold(scene: Scene, seconds: int, ok: int = 0) -> None:
    """Let so many seconds pass, in each of which modern answers so many requests."""
    for _ in range(seconds):
        scene.outcomes(ok=ok)
        await scene.steps()


class TestSteps:
    """The five phases."""

    async def test_the_way_to_modern(self, scene: Scene, controller: Controller) -> None:
        """Step by step, each a version by the plan with what it rests on, in the file too."""
        await to_ten(scene)
        await hold(scene, 61, ok=2)
        assert scene.route().weight_in_force == 5000
        await hold(scene, 4, ok=20)
        assert scene.route().weight_in_force == 9000
        await hold(scene, 4, ok=20)
        assert scene.route().verdict_reason == "step 4 of 5 needs an approval by hand"
        await controller.approve("plans", author="ada", reason="go")
        await scene.steps()
        assert scene.route().phase == Phase.MODERN
        assert [s.weight("plans") for s in scene.published] == [0, 1000, 5000, 9000, 9000, 10_000]
        steps = [d for d in await controller.decisions() if d.action == "advance"]
        assert {(d.author, d.route) for d in steps} == {(PLAN, "plans")}
        assert "weight: 100%           # see ticket" in scene.file.read_text()
        record = await controller.version(scene.version)
        await controller.close()
        assert await scene.store.latest() == record

    async def test_what_a_step_rests_on(self, scene: Scene, controller: Controller) -> None:
        """The reason is a sentence, and the evidence has the numbers and the power to come."""
        scene.outcomes(ok=12 * 60, side="legacy")
        await to_ten(scene)
        decision = (await controller.decisions())[0]
        assert decision.reason == (
            "step 1 of 5 is satisfied: 1,000 comparisons, none differ (at most 0.3%), in 1 s"
        )
        evidence = decision.evidence
        assert (evidence["previous"], evidence["weight"], evidence["step"]) == (0, 1000, 2)
        assert evidence["compared"] == 1000
        assert evidence["mismatch_rate_below"] == pytest.approx(0.003, rel=0.01)
        assert evidence["error_rate_below"] is None
        assert "a jump from 0.5% to 5% errors will be caught" in evidence["power"]

    async def test_what_the_status_tells(self, scene: Scene, controller: Controller) -> None:
        """Where the route stands, what is missing, and what the next step would catch."""
        scene.outcomes(ok=600, side="legacy")
        scene.comparisons("match", 400)
        await scene.steps()
        told = scene.route().progress
        assert told is not None
        assert (told.weights, told.step, told.following) == ((0, 1000, 5000, 9000, 10_000), 1, 1000)
        [wait] = told.waits
        assert wait.startswith("600 more comparisons, about ")
        assert told.power is not None
        assert told.power.startswith("at 10% of ")
        assert (told.held, told.approved, told.resumed) == (None, None, (0, 2))
        await controller.hold("plans", author="ada", reason="lunch")
        told = scene.route().progress
        assert told is not None
        assert told.held is not None
        assert told.held.author == "ada"
        await controller.rollback("plans", author="ada", reason="no")
        told = scene.route().progress
        assert told is not None
        assert told.waits == ()
        assert scene.route("everything-else").progress is not None

    async def test_a_rate_that_is_not_proved(self, scene: Scene) -> None:
        """Three differences in 1,000 are 0.3%, and prove no more than 0.77%."""
        scene.comparisons("match", 1000)
        scene.comparisons("mismatch", 3)
        await scene.steps()
        route = scene.route()
        assert (route.weight_in_force, route.verdict) == (0, "HOLD")
        assert (
            "more comparisons without a difference, to prove at most 0.5%" in route.verdict_reason
        )

    async def test_no_traffic_is_no_pass(self, scene: Scene) -> None:
        """Hours without a request leave the route where it is, and it says what it waits for."""
        await to_ten(scene)
        await hold(scene, 200)
        assert scene.route().weight_in_force == 1000
        assert scene.route().verdict_reason.endswith("more requests on modern, and none come in")

    async def test_time_that_nobody_watched_does_not_count(self, scene: Scene) -> None:
        """While no worker reports, or the controller stands still, no step is held."""
        await to_ten(scene)
        scene.outcomes(ok=100)
        await scene.steps(3600.0)
        for _ in range(100):
            scene.pass_time(1.0)
        assert scene.route().verdict_reason == "step 2 of 5 needs 1 min more on this step"

    async def test_a_step_of_its_own_weight(self, place: Scene) -> None:
        """Two steps at one weight are taken one after another; the file has nothing to change."""
        twice = RULES.replace(
            "    - {weight: 10%", "    - {weight: 0%, hold: 5s}\n    - {weight: 10%"
        )
        place.file.write_text(twice)
        controller = await place.start()
        place.comparisons("match", 1000)
        await place.steps()
        assert (place.version, place.file.read_text()) == (2, twice)
        place.comparisons("match", 20)
        await hold(place, 6)
        assert place.route().weight_in_force == 1000
        assert [d.evidence.get("step") for d in await controller.decisions()][:2] == [3, 2]

    async def test_breach_during_a_step(self, scene: Scene, controller: Controller) -> None:
        """A step that is satisfied while modern fails is not taken."""
        await to_ten(scene)
        await hold(scene, 59, ok=2)
        scene.outcomes(bad=30)
        await scene.steps()
        assert scene.route().phase == "ROLLED_BACK"
        assert (await controller.decisions())[0].action == "rollback"

    async def test_kill_switch(self, scene: Scene, controller: Controller) -> None:
        """While legacy serves all there is, no plan moves and no time passes for it."""
        await controller.set_kill_switch(True, author="ada", reason="fire")
        scene.comparisons("match", 1000)
        await hold(scene, 10)
        assert scene.route().verdict_reason == "the kill switch is on; no plan moves"
        await controller.set_kill_switch(False, author="ada", reason="out")
        await scene.steps()
        assert scene.route().weight_in_force == 1000


class TestHands:
    """People and plans."""

    async def test_hold_and_resume(self, scene: Scene, controller: Controller) -> None:
        """On hold nothing moves, and the status says by whom; resumed, the gate begins anew."""
        await controller.hold("plans", author="ada", reason="lunch")
        scene.comparisons("match", 1000)
        await scene.steps()
        told = "on hold by ada (lunch); `resume` lets the plan go on"
        assert (scene.route().weight_in_force, scene.route().verdict_reason) == (0, told)
        await controller.resume("plans", author="ada", reason="back")
        await scene.steps()
        assert scene.route().verdict_reason.startswith("step 1 of 5 needs 1,000 more comparisons")
        await to_ten(scene)
        actions = [d.action for d in await controller.decisions()]
        assert actions[:3] == ["advance", "release", "hold"]

    @pytest.mark.parametrize("by", ["api", "file"])
    async def test_a_weight_set_by_hand_holds(self, scene: Scene, by: str) -> None:
        """Whoever takes the wheel does not expect it to turn by itself."""
        await to_ten(scene)
        if by == "api":
            await scene.controller.set_weight("plans", 5000, author="ada", reason="faster")
        else:
            scene.edit("weight: 10%           # see", "weight: 50%           # see")
        await hold(scene, 10, ok=50)
        route = scene.route()
        assert route.weight_in_force == 5000
        assert route.verdict_reason.startswith("on hold by ")
        await scene.controller.resume("plans", author="ada", reason="go on")
        await hold(scene, 10, ok=50)
        assert scene.route().weight_in_force == 9000

    async def test_another_edit_holds_nothing(self, scene: Scene) -> None:
        """What else is written anew begins its evidence anew; the plan goes on."""
        scene.comparisons("match", 999)
        scene.edit("mirror: {share: 100%}", "mirror: {share: 99%}")
        assert scene.route().verdict_reason.startswith("step 1 of 5 needs 1,000 more")
        await to_ten(scene)

    async def test_rolled_back_on_hold(self, scene: Scene, controller: Controller) -> None:
        """A hold keeps nobody from being taken back, and keeps it from resuming by itself."""
        await to_ten(scene)
        await controller.hold("plans", author="ada", reason="watching")
        scene.outcomes(bad=30)
        await hold(scene, 700)
        assert scene.route().phase == "ROLLED_BACK"
        await controller.resume("plans", author="ada", reason="mended")
        await hold(scene, 62, ok=10)
        assert scene.route().weight_in_force > 1000


class TestResumingByItself:
    """After a rollback."""

    async def test_as_often_as_allowed(self, scene: Scene, controller: Controller) -> None:
        """Each time from the first step, after twice the wait; then a person has to say so."""
        for cooldown in (600, 1200):
            await to_ten(scene)
            scene.outcomes(bad=30)
            assert scene.route().phase == "ROLLED_BACK"
            await scene.steps(cooldown - 1.0)
            assert scene.route().phase == "ROLLED_BACK"
            await scene.steps(1.0)
            route = scene.route()
            assert (route.phase, route.weight_configured) == ("SHADOW", 0)
        await to_ten(scene)
        scene.outcomes(bad=30)
        await scene.steps(1e6)
        assert scene.route().phase == "ROLLED_BACK"
        assert scene.route().verdict_reason == (
            "rolled back after resuming by itself 2 of 2 times; waits to be resumed"
        )
        resumed = [d for d in await controller.decisions() if d.action == "resume"]
        assert [d.reason for d in resumed] == [
            "cooled down for 1200 s; resumes by itself, 2 of 2",
            "cooled down for 600 s; resumes by itself, 1 of 2",
        ]  # fmt: skip

    async def test_none_by_default(self, place: Scene) -> None:
        """Without a word of the operator, `resume` is by hand."""
        place.file.write_text(RULES.replace("auto_resume: 2, ", ""))
        await place.start()
        await to_ten(place)
        place.outcomes(bad=30)
        await place.steps(1e6)
        assert place.route().phase == "ROLLED_BACK"

    async def test_mirroring_goes_on(self, scene: Scene) -> None:
        """The fix can be proved while the route is back: comparisons are counted."""
        await to_ten(scene)
        scene.outcomes(bad=30)
        scene.comparisons("match", 50)
        assert scene.route().coverage.match == 50


class TestClocks:
    """A jump of the wall clock is no reason for anything."""

    @pytest.mark.parametrize("jump", [-3600.0, 3600.0, 86_400.0])
    async def test_no_step_comes_sooner_or_later(self, scene: Scene, jump: float) -> None:
        """A minute on a step is a minute."""
        await to_ten(scene)
        await hold(scene, 30, ok=4)
        scene.clock.jump(jump)
        await hold(scene, 29, ok=4)
        assert scene.route().weight_in_force == 1000
        await hold(scene, 2, ok=4)
        assert scene.route().weight_in_force == 5000

    @pytest.mark.parametrize("jump", [-3600.0, 86_400.0])
    async def test_no_cool_down_ends_sooner_or_later(self, scene: Scene, jump: float) -> None:
        """Ten minutes are ten minutes."""
        await to_ten(scene)
        scene.outcomes(bad=30)
        await scene.steps(300.0)
        scene.clock.jump(jump)
        await scene.steps(299.0)
        assert scene.route().phase == "ROLLED_BACK"
        await scene.steps(1.0)
        assert scene.route().phase == "SHADOW"

    async def test_no_calendar_opens_or_closes(self, place: Scene) -> None:
        """Set back into the freeze before, or forth past its end, the clock is not believed."""
        place.file.write_text(RULES + FREEZE % "from: 2026-09-21T10:00, to: 2026-09-21T14:00")
        await place.start()  # at 14:13:20
        place.clock.jump(-3600.0)
        place.comparisons("match", 1000)
        await place.steps()
        assert place.route().weight_in_force == 1000

    async def test_a_closed_calendar(self, place: Scene) -> None:
        """What is due waits, says until when, and is taken when it opens."""
        times = "from: 2026-09-21, to: 2026-09-21T14:20, reason: sale"
        place.file.write_text(RULES + FREEZE % times)
        await place.start()
        place.comparisons("match", 1000)
        await place.steps()
        assert place.route().verdict_reason == (
            "step 1 of 5 needs the calendar to open in 6.7 min: a freeze (sale)"
        )
        await place.steps(400.0)
        assert place.route().weight_in_force == 1000


class TestRestart:
    """Everything ends in the middle of something, and goes on rightly."""

    async def test_in_the_middle_of_a_step(self, scene: Scene, controller: Controller) -> None:
        """What was held and seen so far counts on; what was not kept, and the pause, do not."""
        await to_ten(scene)
        await hold(scene, 30, ok=4)
        await controller.close()
        scene.clock.advance(3600.0)
        await scene.start()
        scene.outcomes()
        await scene.steps(0.1)
        assert scene.route().verdict_reason == "step 2 of 5 needs 30 s more on this step"
        await hold(scene, 33, ok=1)
        assert scene.route().weight_in_force == 5000

    async def test_killed_in_the_middle_of_a_step(self, scene: Scene) -> None:
        """Without a word, the step begins anew: too long is safe, too short is not."""
        await to_ten(scene)
        await hold(scene, 50, ok=4)
        await scene.start()
        scene.outcomes()
        await scene.steps(0.1)
        assert scene.route().weight_in_force == 1000
        assert "1 min more on this step" in scene.route().verdict_reason

    async def test_in_the_middle_of_a_cool_down(self, scene: Scene, controller: Controller) -> None:
        """It goes on from where it was, and ends in a resume."""
        await to_ten(scene)
        scene.outcomes(bad=30)
        await scene.steps(400.0)
        await controller.close()
        await scene.start()
        await scene.steps(199.0)
        assert scene.route().phase == "ROLLED_BACK"
        await scene.steps(3.0)
        await scene.steps(3.0)
        assert scene.route().phase == "SHADOW"

    async def test_evidence_of_an_earlier_stay_is_not_taken_up(
        self, scene: Scene, controller: Controller
    ) -> None:
        """What was kept at 10% the first time says nothing of the second."""
        await to_ten(scene)
        await hold(scene, 59, ok=4)
        await controller.close()
        kept = await scene.store.evidence()
        again = await scene.start()
        await again.set_weight("plans", 5000, author="ada", reason="up")
        await again.set_weight("plans", 1000, author="ada", reason="and down")
        await again.resume("plans", author="ada", reason="go on")
        scene.store.lose_everything()
        await again.close()
        await scene.store.keep_evidence(scene.version, kept)
        await scene.start()
        scene.outcomes(ok=100)
        await scene.steps(2.0)
        assert scene.route().weight_in_force == 1000

    @pytest.mark.parametrize(
        ("weight", "author", "held"), [("10%", PLAN, False), ("50%", "file", True)]
    )
    async def test_killed_between_the_file_and_the_version(
        self, scene: Scene, weight: str, author: str, held: bool
    ) -> None:
        """The step that stands in the file is taken; any other weight there is somebody's hand."""
        text = scene.file.read_text()
        scene.file.write_text(
            text.replace("weight: 0%           # see", f"weight: {weight}  # see")
        )
        again = await scene.start()
        record = await again.version(scene.version)
        assert (record.number, record.author) == (2, author)
        progress = scene.route().progress
        assert progress is not None
        assert (progress.held is not None) is held
        assert scene.published[-1].weight("plans") == float(weight[:-1]) * 100

    async def test_an_edit_that_does_more_is_no_step(self, scene: Scene) -> None:
        """Who changed the mirror, too, has edited the file."""
        text = scene.file.read_text().replace("share: 100%", "share: 99%")
        scene.file.write_text(text.replace("weight: 0%           # see", "weight: 10%  # see"))
        again = await scene.start()
        assert (await again.version(scene.version)).author == "file"

    async def test_hold_and_approval_outlive_it(self, scene: Scene, controller: Controller) -> None:
        """They are part of the version."""
        await controller.hold("plans", author="ada", reason="lunch")
        await controller.close()
        await scene.start()
        scene.comparisons("match", 1000)
        await scene.steps()
        assert scene.route().verdict_reason.startswith("on hold by ada (lunch)")

    async def test_store_out_of_order(self, scene: Scene, controller: Controller) -> None:
        """Steps are taken while nothing can be written down; evidence is kept when it can be."""
        scene.store.problem = "disk full"
        await to_ten(scene)
        await controller.close()
        scene.store.problem = None
        await scene.start()
        assert scene.route().weight_in_force == 1000


class TestObstacles:
    """When a step cannot be taken."""

    async def test_a_file_that_is_refused(self, scene: Scene) -> None:
        """The step waits until the file is mended, says so, and tries again by itself."""
        scene.edit("weight: 0%           # see", "weight: 250%           # see")
        scene.comparisons("match", 1000)
        await scene.steps()
        assert _obstacle(scene).startswith(": the rules file has to be mended first: ")
        assert scene.route().weight_in_force == 0
        scene.edit("weight: 250%           # see", "weight: 0%           # see")
        await scene.steps(AGAIN)
        assert scene.route().weight_in_force == 1000
        assert _obstacle(scene) == ""

    async def test_a_file_that_cannot_be_written(self, scene: Scene) -> None:
        """Neither is the step in force then: the file and the routing stay one."""
        scene.file.unlink()
        scene.comparisons("match", 1000)
        await scene.steps()
        assert scene.route().weight_in_force == 0
        assert _obstacle(scene)

    async def test_somebody_is_quicker(
        self, scene: Scene, controller: Controller, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A change while the step is worked out: the step is dropped, and judged anew."""
        _meanwhile(
            monkeypatch,
            lambda: controller.set_weight("everything-else", 500, author="ada", reason="me first"),
        )
        scene.comparisons("match", 1000)
        await scene.steps()
        assert [s.weight("plans") for s in scene.published] == [0, 0]
        assert scene.published[-1].weight("everything-else") == 500
        monkeypatch.undo()
        await scene.steps()
        assert scene.published[-1].weight("plans") == 1000
        assert scene.published[-1].weight("everything-else") == 500

    async def test_modern_fails_meanwhile(
        self, scene: Scene, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Evidence that goes bad while the step is worked out keeps it from being taken."""

        async def differ() -> None:
            scene.comparisons("mismatch", 100)

        _meanwhile(monkeypatch, differ)
        scene.comparisons("match", 1000)
        await scene.steps()
        assert scene.version == 1


def _obstacle(scene: Scene) -> str:
    scene.outcomes()
    scene.pass_time(1.0)
    reason = scene.route().verdict_reason
    return reason.partition(", which cannot be taken")[2]


def _meanwhile(monkeypatch: pytest.MonkeyPatch, act: Callable[[], Awaitable[Any]]) -> None:
    """Let something happen once, while a step is worked out on its thread."""
    due = [act]

    async def to_thread(function: Callable[..., Any], *arguments: Any) -> Any:
        found = function(*arguments)
        if due:
            await due.pop()()
        return found

    monkeypatch.setattr("asyncio.to_thread", to_thread)
