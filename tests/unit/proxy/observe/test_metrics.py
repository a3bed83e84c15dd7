from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from proxy.observe.metrics import BOUNDS, Reading, RouteReading, WorkerReading, histogram, written
from proxy.outcome import latency_bucket

ROUTE = RouteReading(
    id="plans",
    weight_configured=0.1,
    weight_in_force=0.0,
    weight_observed=0.098,
    rolled_back=True,
    outcomes={("modern", "ok"): 90, ("modern", "bad"): 10, ("legacy", "ok"): 900},
    served={"modern": 90, "legacy": 910},
    fallbacks=10,
    latencies={"modern": {latency_bucket(0.02): 80, latency_bucket(3.0): 10}, "legacy": {}},
    comparisons={
        ("match", ""): 5, ("ignored", "rules"): 2, ("ignored", "race"): 1,
        ("not_compared", "candidate_timeout"): 4,
    },
    dropped={"queue_full": 3},
    rollbacks={"error_rate": 1},
)  # fmt: skip
READING = Reading(
    version=7,
    kill_switch=False,
    rules_refused=True,
    store_failed=False,
    captures_sent=42,
    routes=(ROUTE,),
    workers=(
        WorkerReading("worker", "0", 7, True, 12, 0, compiled=True),
        WorkerReading("shadow", "0", 6, False, 0, 9),
    ),
    pools={("0", "modern", "idle"): 4},
    instances={("0", "modern", "10.0.0.4:80"): (0, 7)},
    breakers={("0", "modern"): 2},
    events={("refused_requests", "400"): 3, ("ejections", "10.0.0.4:80"): 2},
    certificates={("0", "shop.crt"): 1.8e9},
)


@pytest.fixture
def samples() -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Read the exposition as Prometheus would."""
    text = written(READING).decode()
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("name", "labels", "value"),
    [
        ("cutover_rules_version", {}, 7),
        ("cutover_rules_refused", {}, 1),
        ("cutover_kill_switch", {}, 0),
        ("cutover_refused_requests_total", {"status": "400"}, 3),
        ("cutover_ejections_total", {"instance": "10.0.0.4:80"}, 2),
        (
            "cutover_instance_admitted",
            {"worker": "0", "side": "modern", "instance": "10.0.0.4:80"},
            0,
        ),
        (
            "cutover_instance_in_flight",
            {"worker": "0", "side": "modern", "instance": "10.0.0.4:80"},
            7,
        ),
        ("cutover_breaker_state", {"worker": "0", "side": "modern"}, 2),
        (
            "cutover_tls_certificate_not_after_seconds",
            {"worker": "0", "certificate": "shop.crt"},
            1.8e9,
        ),
        ("cutover_requests_total", {"route": "plans", "side": "modern", "outcome": "bad"}, 10),
        ("cutover_served_total", {"route": "plans", "side": "legacy"}, 910),
        ("cutover_fallbacks_total", {"route": "plans"}, 10),
        ("cutover_weight_configured", {"route": "plans"}, 0.1),
        ("cutover_weight_in_force", {"route": "plans"}, 0),
        ("cutover_weight_observed", {"route": "plans"}, 0.098),
        ("cutover_rolled_back", {"route": "plans"}, 1),
        ("cutover_comparisons_total", {"route": "plans", "verdict": "ignored"}, 3),
        ("cutover_not_compared_total", {"route": "plans", "reason": "candidate_timeout"}, 4),
        ("cutover_captures_sent_total", {}, 42),
        ("cutover_captures_dropped_total", {"route": "plans", "reason": "queue_full"}, 3),
        ("cutover_rollbacks_total", {"route": "plans", "reason": "error_rate"}, 1),
        ("cutover_worker_connected", {"role": "shadow", "index": "0"}, 0),
        ("cutover_worker_version", {"role": "worker", "index": "0"}, 7),
        ("cutover_worker_connections", {"role": "worker", "index": "0"}, 12),
        ("cutover_worker_compiled", {"role": "worker", "index": "0"}, 1),
        ("cutover_shadow_queue", {"role": "shadow", "index": "0"}, 9),
        ("cutover_pool_connections", {"worker": "0", "side": "modern", "state": "idle"}, 4),
        (
            "cutover_request_duration_seconds_bucket",
            {"route": "plans", "side": "modern", "le": "0.025"},
            80,
        ),
        ("cutover_request_duration_seconds_count", {"route": "plans", "side": "modern"}, 90),
    ],
)
def test_every_metric_is_exposed(
    samples: dict[tuple[str, tuple[tuple[str, str], ...]], float],
    name: str,
    labels: dict[str, str],
    value: float,
) -> None:
    """Each metric has its name, labels and value in the exposition format."""
    assert samples[name, tuple(sorted(labels.items()))] == value


def test_histogram_counts_every_latency_once() -> None:
    """Buckets are cumulative, the last one holds all, and the sum is right to a percent."""
    buckets, total = histogram({latency_bucket(0.02): 80, latency_bucket(45.0): 2})
    counts = [count for _, count in buckets]
    assert counts == sorted(counts)
    assert counts[-1] == 82
    assert counts[-2] == 80
    assert len(buckets) == len(BOUNDS) + 1
    assert total == pytest.approx(80 * 0.02 + 90, rel=0.02)


def test_nothing_yet() -> None:
    """Before any traffic there is something to scrape, and no invented share."""
    reading = Reading(1, False, False, False, 0, (), ())
    text = written(reading).decode()
    assert "cutover_rules_version 1.0" in text
    assert "cutover_weight_observed{" not in text
