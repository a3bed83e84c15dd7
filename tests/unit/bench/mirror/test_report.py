from __future__ import annotations

from bench.mirror.report import figures, ratios, tables
from bench.proxy.products.site import Variant
from bench.proxy.sample import Sample, Samples


def samples(**series: list[dict[str, float]]) -> Samples:
    """Give samples of a part: by product and state, a dictionary for each round."""
    found = Samples()
    for name, rounds in series.items():
        part, product, state = name.split("_")
        for values in rounds:
            found.add(Sample(part, f"{product} {state}", Variant(), values))
    return found


def rate(per_second: float, cpu: float, **others: float) -> dict[str, float]:
    """One measurement of throughput."""
    return {"requests_per_s": per_second, "front_cpu_us": cpu, "busy": 0.99, **others}


def late(p99: float, times: float = 1.0, failed: float = 0) -> dict[str, float]:
    """One measurement of latency."""
    return {"p99_us": p99, "times_off": times, "failed": failed}


def test_ratios_are_of_rounds_and_not_of_medians() -> None:
    """A mood of the machine that is in both of a round is in no ratio."""
    found = samples(
        throughput_cutover_mirrored=[rate(100, 50), rate(300, 50), rate(30, 60)],
        throughput_cutover_off=[rate(100, 40), rate(100, 40), rate(100, 60)],
        throughput_nginx_mirrored=[rate(50, 100), rate(150, 100), rate(20, 100)],
        latency_cutover_off=[late(1000), late(2000)],
        latency_cutover_again=[late(1000, 1.0), late(1800, 0.9)],
        latency_cutover_dead=[late(1100, 1.1), late(2200, 1.1)],
        latency_nginx_off=[late(1000), late(1000)],
        latency_nginx_dead=[late(9_000_000, 9000.0)],
    )
    assert ratios(found) == {
        "throughput_mirrored_vs_nginx": 2.0,
        "cpu_mirrored_vs_nginx": 0.5,
        "cpu_mirrored_vs_off": 1.25,
        "p99_primary_again_vs_off": 0.95,
        "p99_primary_shadow_dead_vs_off": 1.1,
        "nginx_p99_primary_shadow_dead_vs_off": 9000.0,
    }


def test_the_shadow_workers_are_reported_beside() -> None:
    """What they cost, how much they compared, and how long after."""
    beside = {"shadow_cpu_us": 140.0, "compared_share": 0.98, "compared_after_s": 3.0}
    found = samples(throughput_cutover_mirrored=[rate(100, 50, **beside)])
    assert figures(found) == {
        "our_requests_per_s_mirrored": 100,
        "data_plane_cpu_us_mirrored": 50,
        "shadow_worker_cpu_us_per_comparison": 140,
        "compared_share": 0.98,
        "compared_after_s": 3,
    }


def test_a_product_that_did_not_use_its_core_is_marked() -> None:
    """Something else was the limit; and requests that failed are shown beside the latency."""
    found = samples(
        throughput_cutover_off=[rate(1000, 50)],
        throughput_nginx_off=[rate(2000, 50) | {"busy": 0.5}],
        latency_cutover_off=[late(1500)],
        latency_nginx_slow=[late(10_000_000, 6_667.0, 7)],
        latency_cutover_dead=[late(1000, each / 10) for each in range(8, 13)],
    )
    text = tables(found)
    assert "| cutover, off | 1,000 |" in text
    assert "| nginx, off | 2,000+ |" in text
    assert "| nginx | - | - | 10,000,000 (7) | - | - |" in text
    assert "| nginx | - | - | 6667.00 | - | - |" in text
    assert "| cutover | 1.00 | - | - | - | 1.00 (0.90 to 1.10) |" in text
    assert tables(Samples()) == ""


def test_recording_is_compared_with_the_same_product_without_it() -> None:
    """Round by round; what was recorded of what was asked stands beside."""
    recorded = {"recorded_share": 1.0, "shadow_cpu_us": 60.0}
    found = samples(
        recording_cutover_off=[rate(1000, 30), rate(1000, 40)],
        recording_cutover_recording=[rate(900, 33, **recorded), rate(800, 44, **recorded)],
    )
    assert ratios(found)["cpu_recording_vs_off"] == 1.1
    assert ratios(found)["throughput_recording_vs_off"] == 0.85
    assert figures(found)["shadow_worker_cpu_us_per_recorded"] == 60.0
    assert "| cutover, recording | 850 |" in tables(found)
