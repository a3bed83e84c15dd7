from __future__ import annotations

from collections.abc import Iterator

import pytest

from bench.proxy.measure import LATE_US, STOLEN, TRIES, calmest

CALM = (0.0, 80.0)
STEALING, LATE = (2 * STOLEN, 80.0), (0.0, 4 * LATE_US)


class Runs:
    """Runs on a machine that is as restless as told: share stolen, microseconds late."""

    def __init__(self, *unrest: tuple[float, float]) -> None:
        self._unrest: Iterator[tuple[float, float]] = iter(unrest)
        self.count = 0

    def __call__(self) -> dict[str, float]:
        """Run once more; the later the run, the worse the product."""
        stolen, late = next(self._unrest)
        self.count += 1
        return {"p99_us": 100.0 * self.count, "stolen": stolen, "late_us": late}


@pytest.mark.parametrize(
    ("unrest", "kept", "runs"),
    [
        ([CALM], 1, 1),
        ([(STOLEN, LATE_US)], 1, 1),
        ([STEALING, CALM, CALM], 2, 2),
        ([LATE, CALM, CALM], 2, 2),
        ([LATE, STEALING, *[LATE] * (TRIES - 2)], 2, TRIES),
    ],
)
def test_the_first_calm_run_counts_or_the_calmest(
    unrest: list[tuple[float, float]], kept: int, runs: int
) -> None:
    """What was measured of the product has no say in it."""
    run = Runs(*unrest)
    assert calmest(run)["p99_us"] == 100.0 * kept
    assert run.count == runs
