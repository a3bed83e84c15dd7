from __future__ import annotations

from bench.rollback import report
from bench.rollback.detection import Detected, cases
from bench.rollback.false_alarms import Alarms
from bench.rollback.live import Run
from bench.rollback.sides import Trouble

CASE = next(cases())
RUNS = {
    Trouble.DEAD: [
        Run(Trouble.DEAD, 0.04, 6, 6, 0, "t1"),
        Run(Trouble.DEAD, 0.02, 5, 5, 1, "t1"),
        Run(Trouble.DEAD, 0.09, 9, 8, 0, "t2"),
    ]
}


def test_what_was_measured_is_told() -> None:
    """Medians in the table, with the peers' documented minima below it."""
    told = report.runs(RUNS)
    assert "t1 2, t2 1" in told
    assert "Flagger" in told
    assert report.run_figures(RUNS) == {
        "dead_side_rollback_ms_p50": 40.0,
        "dead_side_rollback_ms_p95": 90.0,
        "dead_side_routed_requests_p50": 6.0,
        "dead_side_failed_requests_p50": 6.0,
        "dead_side_failed_requests_p95": 8.0,
        "dead_side_errors_seen_by_clients": 1.0,
    }


def test_more_requests_than_published_is_a_failure() -> None:
    """Fewer are welcome; 15% more are the most."""
    for mean, fine in ((3.0, True), (4.5, True), (4.7, False)):
        found = [Detected(CASE, mean, 9.0)]
        assert report.is_as_published(found) is fine
        assert f"{mean:.1f}" in report.detections(found)
    figures = report.detection_figures([Detected(CASE, 3.0, 4.0)])
    assert figures == {
        "t1_100_percent_at_1.0e06_requests_mean": 3.0,
        "t1_100_percent_at_1.0e06_requests_p95": 4.0,
    }


def test_false_alarms_are_counted() -> None:
    """By detector in words, together as a figure."""
    found = Alarms(1000, 10, {"t1": 1, "t5": 2}, {})
    assert "rollbacks t1 1, t5 2, holds none" in report.alarms(found)
    assert report.alarm_figures(found)["false_alarms"] == 3.0
