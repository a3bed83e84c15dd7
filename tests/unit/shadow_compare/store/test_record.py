from __future__ import annotations

import pytest

from shadow_compare.store.record import Record


@pytest.mark.parametrize(
    ("status", "expected"), [(200, "2xx"), (503, "5xx"), (0, ""), (99, ""), (1000, "")]
)
def test_status_is_told_by_class(status: int, expected: str) -> None:
    """What is no status has no class."""
    assert Record("plans", 61.0, 1, "match", status=status).status_class == expected


def test_time_is_told_by_minute() -> None:
    """Unix time, rounded down."""
    assert Record("plans", 119.9, 1, "match").minute == 1
