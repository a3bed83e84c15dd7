from modern.infra.metrics import Metrics
from shadow_compare.dry_run.run import DryRun, inside


def test_what_happens_in_a_dry_run_has_not_happened() -> None:
    """A subscription that was rolled back is no business."""
    metrics = Metrics()
    metrics.subscriptions_created.inc()
    with inside(DryRun("r")):
        metrics.subscriptions_created.inc()
    assert b"subscriptions_created_total 1.0" in metrics.exposition()
