from __future__ import annotations

from bench.path import measure


async def test_every_stage_can_be_run_alone() -> None:
    """The stages fit the hot path as it is: this breaks when a stage changes its shape."""
    found = await measure(rounds=1, count=20)
    assert all(microseconds > 0 for microseconds in found.values())
    assert {"read head, seen", "decide, never seen", "whole exchange, never seen"} <= set(found)
