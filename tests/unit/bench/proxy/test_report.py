from __future__ import annotations

from bench.proxy.products.site import Variant
from bench.proxy.report import figures, ratios, tables
from bench.proxy.sample import Sample, Samples
from bench.proxy.workload import BY_NAME, PLAIN

GET, LATENCY, ROUTES, POST = (BY_NAME[name] for name in ("get", "latency", "routes", "post"))


def closed(workload: str, product: str, *rounds: tuple[float, float], variant: Variant = PLAIN,
           busy: float = 1.0) -> list[Sample]:  # fmt: skip
    """Rounds of CPU time and throughput."""
    return [
        Sample(workload, product, variant, {"cpu_us": cpu, "requests_per_s": rate, "busy": busy})
        for cpu, rate in rounds
    ]


def test_ratios_are_ours_divided_by_theirs_round_by_round() -> None:
    """A slow round of both does not show; the small GET has plain names."""
    samples = Samples(
        [
            *closed("get", "cutover", (40, 20_000), (400, 2_000), (42, 21_000)),
            *closed("get", "nginx", (20, 40_000), (200, 4_000), (21, 42_000)),
        ]
    )
    assert ratios(samples, [GET]) == {
        "cpu_per_request_vs_nginx": 2.0,
        "throughput_vs_nginx": 0.5,
    }
    assert figures(samples, [GET])["cutover_cpu_us"] == 42


def test_other_workloads_say_their_names() -> None:
    """So that no key means two things."""
    samples = Samples([*closed("post", "cutover", (40, 1)), *closed("post", "envoy", (80, 1))])
    assert ratios(samples, [POST])["cpu_per_request_post_vs_envoy"] == 0.5


def test_many_routes_are_compared_with_few() -> None:
    """Ours with ours."""
    samples = Samples(
        [
            sample
            for count, cpu in ((20, 40.0), (200, 42.0), (2000, 44.0))
            for sample in closed("routes", "cutover", (cpu, 1), variant=Variant(routes=count))
        ]
    )
    found = ratios(samples, [ROUTES])
    assert found["cpu_per_request_2000_routes_vs_20_routes"] == 1.1
    assert found["cpu_per_request_200_routes_vs_20_routes"] == 1.05


def test_latency_is_told_beside_a_direct_connection() -> None:
    """What a product adds is the median of the differences, in milliseconds."""
    values = [
        {"rate": 1.0, "p50_us": p, "p99_us": p * 2, "direct_p50_us": 100.0, "direct_p99_us": d}
        for p, d in ((300.0, 200.0), (400.0, 300.0), (900.0, 1700.0))
    ]
    samples = Samples([Sample("latency", "cutover", PLAIN, each) for each in values])
    found = figures(samples, [LATENCY])
    assert found["cutover_half_load_p99_added_ms"] == 0.4
    assert found["cutover_half_load_p50_us"] == 400


def test_a_product_that_was_not_the_bottleneck_is_marked() -> None:
    """Its throughput is only a lower bound."""
    samples = Samples(
        [
            *closed("get", "cutover", (40, 20_000)),
            *closed("get", "haproxy", (20, 30_000), busy=0.7),
        ]
    )
    text = tables(samples, [GET])
    assert "30000+" in text
    assert "20000+" not in text
    assert "its core was not always busy" in text


def test_peers_that_were_not_measured_are_nowhere() -> None:
    """No ratio, no row."""
    samples = Samples(closed("get", "cutover", (40, 20_000)))
    assert ratios(samples, [GET]) == {}
    assert "nginx" not in tables(samples, [GET])


def test_a_product_that_failed_is_out_of_the_workload() -> None:
    """Half a pair is none; what it has shown elsewhere stays, and the failure is kept."""
    samples = Samples(
        [
            *closed("get", "cutover", (40, 1), (40, 1)),
            *closed("get", "caddy", (80, 1)),
            *closed("post", "cutover", (40, 1)),
            *closed("post", "caddy", (80, 1)),
        ]
    )
    samples.fail("get", "caddy", PLAIN, "7 requests failed")
    assert samples.failures == ["get: 7 requests failed"]
    assert set(ratios(samples, [GET, POST])) == {
        "cpu_per_request_post_vs_caddy",
        "throughput_post_vs_caddy",
    }
