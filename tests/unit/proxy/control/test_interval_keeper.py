from __future__ import annotations

from pathlib import Path

import pytest

from proxy.control.interval import EVERY_ROUTE, KEPT_FOR
from proxy.errors import RefusedError
from tests.support_control import Scene


@pytest.fixture
async def scene(tmp_path: Path) -> Scene:
    """Give a controller that has just started."""
    scene = Scene(tmp_path)
    await scene.start()
    return scene


async def test_a_minute_is_kept(scene: Scene) -> None:
    """Of routes with traffic, and that somebody watched; at the end of the controller, too."""
    scene.outcomes(ok=10, bad=1)
    scene.clock.advance(60.0)
    await scene.controller.close()
    found = [each for _, each in await scene.store.intervals(0.0, 1e12)]
    assert [each.route for each in found] == [EVERY_ROUTE, "plans"]
    assert {(each.at, each.seconds) for each in found} == {(scene.clock.wall(), 60.0)}
    assert (found[1].weight, found[1].version, found[1].modern.ok) == (1000, 1, 10)


async def test_what_is_old_goes(scene: Scene) -> None:
    """After two weeks."""
    scene.outcomes(ok=10)
    await scene.controller.close()
    await scene.start()
    scene.clock.advance(KEPT_FOR + 1.0)
    await scene.controller.close()
    found = await scene.store.intervals(0.0, 1e12)
    assert {each.at for _, each in found} == {scene.clock.wall()}


async def test_a_store_that_fails_costs_a_minute(scene: Scene) -> None:
    """Nothing else: the controller ends in good order, and to read is refused with the reason."""
    scene.store.problem = "disk full"
    scene.outcomes(ok=10)
    with pytest.raises(RefusedError, match="disk full"):
        await scene.controller.outcomes(0.0, 1e12)
    await scene.controller.close()
    scene.store.problem = None
    again = await scene.start()
    assert await again.outcomes(0.0, 1e12) == []
