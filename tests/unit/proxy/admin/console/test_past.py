from __future__ import annotations

from proxy.admin.console.past import FRESH, REMEMBERED, Past
from proxy.admin.series import RANGES
from tests.support_console import FakeController
from tests.support_series import past_hours

NOW = 1_790_000_000.0
HOUR = RANGES["1h"]


def controller() -> FakeController:
    """A controller with a past."""
    found = FakeController(clock=lambda: NOW)
    found.minutes = past_hours("plans", NOW, 1000)
    return found


async def test_what_was_read_is_shown_again_for_some_seconds() -> None:
    """To all who look at the same; then it is read anew."""
    past = Past(controller())
    first = await past.series(HOUR, NOW, "plans")
    assert await past.series(HOUR, NOW + FRESH - 1, "plans") is first
    assert await past.series(HOUR, NOW + FRESH, "plans") is not first
    assert await past.series(RANGES["6h"], NOW, "plans") is not first


async def test_a_decision_is_seen_at_once() -> None:
    """Another version of the rules has another series."""
    fake = controller()
    past = Past(fake)
    await past.series(HOUR, NOW, "plans")
    fake.take_back("plans", "cutover", "errors", {})
    found = await past.series(HOUR, NOW, "plans")
    assert found is not None
    assert found.marks[-1].label == "rolled back"


async def test_little_is_remembered() -> None:
    """However many routes are looked at."""
    past = Past(controller())
    for n in range(REMEMBERED + 5):
        await past.series(HOUR, NOW, f"r{n}")
    assert len(past._kept) == REMEMBERED


async def test_a_store_that_cannot_be_read_gives_none() -> None:
    """The page says so, and comes up."""
    fake = controller()
    fake.records_broken = True
    assert await Past(fake).series(HOUR, NOW, "plans") is None
