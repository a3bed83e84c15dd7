from __future__ import annotations

from typing import Any

import pytest

from proxy.admin.console.led import BEFORE, led_to
from proxy.control.status import DecisionRecord
from tests.support_console import FakeController
from tests.support_series import past_hours

NOW = 1_790_000_000.0


def decision(at: float = NOW - 600, **evidence: Any) -> DecisionRecord:
    """A rollback on this evidence."""
    return DecisionRecord(2, at, "plans", "rollback", "cutover", "errors", 19, evidence)


@pytest.fixture
def controller() -> FakeController:
    """A controller with a past."""
    found = FakeController(clock=lambda: NOW)
    found.minutes = past_hours("plans", NOW, 1000)
    return found


@pytest.mark.parametrize(
    ("evidence", "title", "has_bound"),
    [
        ({"detector": "error_rate", "bound": 0.05}, "Error rate", True),
        ({"detector": "t1", "bound": 1e9, "tolerated": 0.05}, "Error rate", True),
        ({"detector": "t1", "bound": 1e9}, "Error rate", False),
        ({"detector": "p95", "bound": 0.9}, "p95 latency", True),
        ({"detector": "t5", "bound": 1e9, "limit": 0.9}, "p95 latency", True),
        ({"detector": "mismatch_rate", "bound": 0.01}, "Answers that differ", True),
        ({"detector": "t4", "bound": 1e9}, "Answers that differ", False),
        ({}, "Error rate", False),
        ({"detector": ["<b>"], "bound": "<b>", "tolerated": True}, "Error rate", False),
    ],
)
async def test_the_figure_is_the_detectors(
    controller: FakeController, evidence: dict[str, Any], title: str, has_bound: bool
) -> None:
    """With the limit where it can be drawn: odds are on no scale of rates."""
    led = await led_to(controller, decision(**evidence), NOW)
    assert led is not None
    assert led.title == title
    assert (led.chart.bound is not None) == has_bound
    assert not led.chart.is_empty


async def test_minutes_that_are_gone_are_not_drawn(controller: FakeController) -> None:
    """A decision of long ago has none."""
    long_ago = decision(NOW - 10 * 3600 - BEFORE)
    assert await led_to(controller, long_ago, NOW) is None
