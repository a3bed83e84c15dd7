from __future__ import annotations

from bench.mirror.measure import counted


def test_a_request_that_is_never_answered_is_not_a_quick_one() -> None:
    """Else a product that answers one in a hundred would have the best percentile of all."""
    good = {"requests": 1000.0, "failed": 10.0, "p99_us": 1500.0}
    assert counted(good) == good
    assert counted(good | {"failed": 11.0})["p99_us"] == 10_000_000
