from __future__ import annotations

import pytest

from bench.rollback.detection import Case, cases, detect, divergence
from proxy.rollout.mixture import ROLLBACK_AT


def test_the_distance_of_two_rates() -> None:
    """A dead side against 0.5%: ln 200; no distance between a rate and itself."""
    assert divergence(1.0, 0.005) == pytest.approx(5.298, abs=1e-3)
    assert divergence(0.1, 0.1) == 0.0


def test_every_detector_has_a_case() -> None:
    """The table leaves none out, and each has one at the evidence that takes a route back."""
    found = list(cases())
    assert {case.detector for case in found} == {"t1", "t2", "t3", "t4", "t5"}
    assert {case.detector for case in found if case.limit == ROLLBACK_AT} == {
        "t1", "t2", "t3", "t4", "t5",
    }  # fmt: skip


@pytest.mark.parametrize("case", [case for case in cases() if case.published is not None])
def test_nothing_needs_more_requests_than_published(case: Case) -> None:
    """Within 15% of the specification's own simulation, or below it; the seed decides."""
    found = detect(case, 150)
    assert found.off is not None
    assert found.off <= 0.15
    assert found == detect(case, 150)
