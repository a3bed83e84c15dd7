from __future__ import annotations

from typing import Any

from proxy.serving.stage import Stage


def test_stages_are_in_the_order_of_life() -> None:
    """A later one has a greater number."""
    stages: list[Any] = list(Stage)
    assert [s.name for s in sorted(stages)] == [
        "BEGUN", "LEASING", "AWAITING", "RELAYING", "TUNNELLING", "ENDED",
    ]  # fmt: skip
