from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from proxy.control.desk import Desk
from proxy.control.overview import Overview
from proxy.control.status import Status
from proxy.errors import RefusedError
from tests.support_control import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    """Give a controller that has just started."""
    scene = Scene(tmp_path)
    await scene.start()
    return scene


def anew(desk: Desk) -> Status:
    """Give the status as somebody works it out who has never seen it before."""
    shown = desk._overview
    desk._overview = Overview(
        desk._in_force, desk._rules_file, desk.recordings, desk._kill_file, desk._clock
    )
    found = desk.status()
    desk._overview = shown
    return found


async def test_a_survey_without_plans_is_the_same_but_for_them(scene: Scene) -> None:
    """What is left out of it is where routes stand on their plans, and nothing else."""
    scene.outcomes(ok=10, bad=1)
    whole, fewer = await scene.controller.survey(), await scene.controller.survey(plans=False)
    told = tuple(replace(route, progress=None) for route in whole.routes)
    assert fewer.routes == told
    assert any(route.progress for route in whole.routes)
    await scene.controller.set_weight("plans", 5000, author="ann", reason="lunch")
    (plans,) = [r for r in (await scene.controller.survey(plans=False)).routes if r.id == "plans"]
    assert plans.weight_configured == 5000


async def test_the_rules_in_force_are_at_hand(scene: Scene) -> None:
    """Those of the version that the status tells, without reading its document again."""
    await scene.controller.set_weight("plans", 5000, author="ann", reason="lunch")
    rules = scene.controller.rules()
    assert rules is not None
    assert {route.id: route.weight for route in rules.routes}["plans"] == 5000


async def test_a_glance_is_the_same_of_fewer_routes(scene: Scene) -> None:
    """Those that are named and are there; everything else as it is."""
    scene.outcomes(ok=10)
    whole = scene.controller.status()
    (plans,) = [route for route in whole.routes if route.id == "plans"]
    glance = scene.controller.glance("plans", "nowhere")
    assert glance.routes == (plans,)
    assert replace(glance, routes=whole.routes, at=whole.at) == whole
    assert scene.controller.glance().routes == ()


async def test_a_survey_tells_of_one_version(scene: Scene) -> None:
    """When the weight is set meanwhile, no route is told as it was before."""
    surveyed = asyncio.create_task(scene.controller.survey())
    await scene.controller.set_weight("plans", 5000, author="ann", reason="lunch")
    found = await surveyed
    weights = {route.id: route.weight_configured for route in found.routes}
    assert (found.version, weights["plans"]) in ((2, 5000), (1, 1000))


async def hold(scene: Scene) -> None:
    """Put a plan on hold."""
    await scene.controller.hold("plans", author="ann", reason="lunch")


async def roll_back(scene: Scene) -> None:
    """Take a route back."""
    await scene.controller.rollback("plans", author="ann", reason="lunch")


async def set_weight(scene: Scene) -> None:
    """Give another weight."""
    await scene.controller.set_weight("plans", 5000, author="ann", reason="lunch")


CHANGES: dict[str, Callable[[Scene], object]] = {
    "nothing": lambda _: None,
    "a second passes": lambda scene: scene.clock.advance(1.0),
    "the window passes": lambda scene: scene.clock.advance(120.0),
    "good answers": lambda scene: scene.outcomes(ok=10),
    "bad answers": lambda scene: scene.outcomes(ok=10, bad=2),
    "comparisons": lambda scene: scene.comparisons("match", 5),
    "a hold": hold,
    "a rollback": roll_back,
    "another weight": set_weight,
    "the kill file": lambda scene: (scene.directory / "kill").touch(),
}


@pytest.mark.parametrize("first", CHANGES)
@pytest.mark.parametrize("second", CHANGES)
async def test_what_is_remembered_is_what_is_so(scene: Scene, first: str, second: str) -> None:
    """After any two things, with time and looks in between, all is shown as if never before."""
    for change in (first, second):
        for _ in range(2):
            result = CHANGES[change](scene)
            if hasattr(result, "__await__"):
                with suppress(RefusedError):  # what cannot be done twice
                    await result
            assert scene.controller.status() == anew(scene.controller)
            scene.clock.advance(0.7)
            scene.controller.tick()
            assert scene.controller.status() == anew(scene.controller)
            assert await scene.controller.survey() == anew(scene.controller)


async def test_a_calendar_opens_nearer_every_second(scene: Scene) -> None:
    """A plan that waits for it is shown anew, whether it was judged meanwhile or not."""
    opens = datetime.fromtimestamp(scene.clock.wall() + 90, UTC).strftime("%Y-%m-%d %H:%M")
    freeze = f'{{from: 2020-01-01, to: "{opens}", reason: no}}'
    scene.write(f"{scene.file.read_text()}calendar: {{zone: UTC, freeze: [{freeze}]}}\n")
    scene.outcomes(ok=200)
    for _ in range(60):
        scene.clock.advance(0.05)
        scene.controller.tick()
        assert scene.controller.status() == anew(scene.controller)
    assert "the calendar to open" in str(scene.controller.status())


async def test_what_stands_still_is_not_worked_out_again(scene: Scene) -> None:
    """The very same value is given as long as nothing changes, and only for routes that do."""
    scene.clock.advance(100.0)
    scene.controller.tick()
    before = {route.id: route for route in scene.controller.status().routes}
    scene.clock.advance(0.1)
    scene.outcomes(ok=3, route="subscriptions")
    after = {route.id: route for route in scene.controller.status().routes}
    assert after["plans"] is before["plans"]
    assert after["everything-else"] is before["everything-else"]
    assert after["subscriptions"] is not before["subscriptions"]
    assert scene.controller.route("plans") is before["plans"]
    assert scene.controller.route("nowhere") is None


async def test_in_brief(scene: Scene) -> None:
    """Version, switch and names, the same as in the whole."""
    brief, whole = scene.controller.brief(), scene.controller.status()
    assert (brief.at, brief.version, brief.kill_switch) == (whole.at, whole.version, False)
    assert brief.routes == tuple(route.id for route in whole.routes)


async def test_routes_that_are_gone_are_forgotten(scene: Scene) -> None:
    """What was remembered of them goes with them."""
    scene.controller.status()
    text = scene.file.read_text()
    scene.write(text[: text.index("  - id: subscriptions")])
    assert [route.id for route in scene.controller.status().routes] == ["plans"]
    assert list(scene.controller._overview._shown) == ["plans"]
