from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from proxy.control.controller import Controller
from proxy.errors import ConflictError, NotFoundError, RefusedError
from proxy.routing.rules import Pin
from proxy.routing.side import Side
from tests.support_control import Scene

RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"]}
  modern: {instances: ["http://127.0.0.1:8082"]}
plans:
  standard:
    - {weight: 0%, until: {compared: 100}}
    - {weight: 10%, approval: true}
    - {weight: 100%}
routes:
  - {id: plans, match: {path: /api/plans}, weight: 0%, plan: standard, mirror: {share: 100%}}
  - {id: everything-else, match: {path: /*}}
"""
ME: Any = {"author": "ada", "reason": "to see"}
VERBS = ("advance", "hold", "approve")


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    """Give a route at the first of three steps."""
    (tmp_path / "routing_rules.yaml").write_text(RULES)
    scene = Scene(tmp_path)
    await scene.start()
    return scene


@pytest.fixture
def controller(scene: Scene) -> Controller:
    """Give the controller of the scene."""
    return scene.controller


class TestAdvance:
    """Taking a step by hand."""

    async def test_before_its_time_only_by_force(
        self, scene: Scene, controller: Controller
    ) -> None:
        """What the gate still needs is told, and goes on record when it was overruled."""
        with pytest.raises(RefusedError, match="still needs 100 more comparisons, and none"):
            await controller.advance("plans", **ME)
        record = await controller.advance("plans", force=True, **ME)
        assert (record.author, record.evidence["forced"]) == ("ada", True)
        assert record.evidence["missing"] == ["100 more comparisons, and none come in"]
        assert (record.evidence["previous"], record.evidence["weight"]) == (0, 1000)
        assert scene.published[-1].weight("plans") == 1000
        assert "weight: 10%, plan: standard" in scene.file.read_text()

    async def test_a_step_that_is_due(self, scene: Scene, controller: Controller) -> None:
        """An operator may be quicker than the plan, and then it is the operator's step."""
        scene.comparisons("match", 100)
        record = await controller.advance("plans", **ME)
        assert (record.author, record.evidence["missing"]) == ("ada", [])
        await scene.steps()
        assert scene.version == record.number

    async def test_from_between_the_steps(self, scene: Scene, controller: Controller) -> None:
        """To the step above; the plan, on hold since the weight was set by hand, stays on hold."""
        await controller.set_weight("plans", 2500, **ME)
        await controller.advance("plans", **ME)
        assert scene.published[-1].weight("plans") == 10_000
        assert scene.route().verdict_reason.startswith("on hold by ada")

    async def test_metrics_tell_since_when_a_plan_is_held(self, controller: Controller) -> None:
        """One that nobody holds, and a route without one, have no such sample."""
        before = [route.held_since for route in controller.reading().routes]
        record = await controller.hold("plans", **ME)
        assert before == [None, None]
        assert [route.held_since for route in controller.reading().routes] == [record.at, None]

    async def test_from_the_end(self, controller: Controller) -> None:
        """There is nowhere to go."""
        await controller.set_weight("plans", 10_000, **ME)
        with pytest.raises(RefusedError, match="no step left"):
            await controller.advance("plans", **ME)

    async def test_rolled_back(self, scene: Scene, controller: Controller) -> None:
        """Only resume leads out of a rollback."""
        await controller.rollback("plans", **ME)
        with pytest.raises(RefusedError, match="resume it first"):
            await controller.advance("plans", force=True, **ME)
        assert scene.route().phase == "ROLLED_BACK"


class TestHold:
    """Keeping a plan where it is."""

    async def test_once(self, controller: Controller) -> None:
        """The second is told of the first."""
        await controller.hold("plans", author="ada", reason="lunch")
        with pytest.raises(RefusedError, match=r"on hold already, by ada \(lunch\)"):
            await controller.hold("plans", author="bob", reason="dinner")

    async def test_resume_at_a_weight_is_for_rollbacks(self, controller: Controller) -> None:
        """A plan on hold goes on where it is; who wants another weight sets it."""
        await controller.hold("plans", **ME)
        with pytest.raises(RefusedError, match="its plan is on hold; set its weight"):
            await controller.resume("plans", weight=1000, **ME)
        record = await controller.resume("plans", **ME)
        assert record.progress["plans"].held is None

    async def test_resume_with_nothing_to_resume(self, controller: Controller) -> None:
        """A route in force with its plan running needs no resuming."""
        with pytest.raises(RefusedError, match="neither rolled back nor on hold"):
            await controller.resume("plans", **ME)


class TestApprove:
    """A person's word."""

    async def test_where_it_is_asked_for(self, scene: Scene, controller: Controller) -> None:
        """On a step that waits for one, once; it counts for that step alone."""
        with pytest.raises(RefusedError, match="stands on no step that waits for an approval"):
            await controller.approve("plans", **ME)
        await controller.advance("plans", force=True, **ME)
        record = await controller.approve("plans", **ME)
        assert record.evidence == {"step": 2, "of": 3, "weight": 1000}
        with pytest.raises(RefusedError, match="step 2 of 3 of `plans` is approved already, by"):
            await controller.approve("plans", author="bob", reason="me too")
        scene.outcomes(ok=20)
        await scene.steps()
        assert scene.published[-1].weight("plans") == 10_000
        assert (await controller.version(scene.version)).progress["plans"].approved is None

    async def test_while_rolled_back(self, controller: Controller) -> None:
        """There is nothing to leave."""
        await controller.advance("plans", force=True, **ME)
        await controller.rollback("plans", **ME)
        with pytest.raises(RefusedError, match="no step that waits"):
            await controller.approve("plans", **ME)


@pytest.mark.parametrize("verb", VERBS)
async def test_the_second_of_two_operators_is_told(controller: Controller, verb: str) -> None:
    """Who changes what somebody else has changed meanwhile is refused, and told by whom."""
    seen = controller.status().version
    await controller.set_weight("plans", 1000, author="bob", reason="me first")
    with pytest.raises(ConflictError, match=r"bob changed it \(me first\)"):
        await getattr(controller, verb)("plans", expected_version=seen, **ME)


@pytest.mark.parametrize("verb", VERBS)
async def test_only_what_is_there(controller: Controller, verb: str) -> None:
    """A route that does not exist, or has no plan, is named."""
    with pytest.raises(NotFoundError):
        await getattr(controller, verb)("nowhere", **ME)
    with pytest.raises(RefusedError, match="`everything-else` has no plan"):
        await getattr(controller, verb)("everything-else", **ME)


class TestPins:
    """One identity on one side."""

    PIN = Pin("header:x-customer=17", Side.LEGACY, "wrong invoices", ("plans",))

    async def test_on_and_off(self, scene: Scene, controller: Controller) -> None:
        """It is in the rules, in the file and on record; and so is its end."""
        record = await controller.pin(self.PIN, **ME)
        assert scene.published[-1].rules.pins == (self.PIN,)
        assert record.evidence == {
            "identity": "header:x-customer=17", "side": "legacy", "routes": ["plans"],
        }  # fmt: skip
        assert "wrong invoices" in scene.file.read_text()
        await controller.unpin("header:x-customer=17", **ME)
        assert "pins:\n  []" in scene.file.read_text()
        actions = [d.action for d in await controller.decisions()]
        assert actions[:2] == ["unpin", "pin"]

    async def test_one_of_an_identity(self, scene: Scene, controller: Controller) -> None:
        """A later pin takes the place of an earlier one."""
        await controller.pin(self.PIN, **ME)
        other = Pin(self.PIN.identity, Side.MODERN)
        await controller.pin(other, **ME)
        assert scene.published[-1].rules.pins == (other,)

    async def test_refused(self, controller: Controller) -> None:
        """No such route, no such pin, no such version."""
        with pytest.raises(NotFoundError):
            await controller.pin(Pin("client_ip=1.2.3.4", Side.LEGACY, "", ("nowhere",)), **ME)
        with pytest.raises(NotFoundError, match=r"no pin holds client_ip=1\.2\.3\.4"):
            await controller.unpin("client_ip=1.2.3.4", **ME)
        with pytest.raises(ConflictError):
            await controller.pin(self.PIN, expected_version=99, **ME)
        with pytest.raises(RefusedError, match="SOURCE=VALUE"):
            await controller.pin(Pin("nobody", Side.LEGACY), **ME)
