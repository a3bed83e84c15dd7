"""From samples to the tables, the ratios and the figures. Pure."""

from __future__ import annotations

import statistics

from bench.mirror.measure import AGAIN, MIRRORED, RECORDING, TROUBLE
from bench.mirror.products import NGINX, OFF, OURS
from bench.proxy.sample import Samples
from bench.stats import ratio

FULL = 0.9
"""Below this share of its core something else was the limit."""

QUARTERS = 4


def ratios(samples: Samples) -> dict[str, float]:
    """Round by round, and of those the median."""
    found: dict[str, float | None] = {
        "throughput_mirrored_vs_nginx": _ratio(
            samples, "throughput", "requests_per_s", (OURS, MIRRORED), (NGINX, MIRRORED)
        ),
        "cpu_mirrored_vs_nginx": _ratio(
            samples, "throughput", "front_cpu_us", (OURS, MIRRORED), (NGINX, MIRRORED)
        ),
    }
    for name, measure in (("cpu", "front_cpu_us"), ("throughput", "requests_per_s")):
        found[f"{name}_recording_vs_off"] = _ratio(
            samples, "recording", measure, (OURS, RECORDING), (OURS, OFF)
        )
    for product, prefix in ((OURS, ""), (NGINX, "nginx_")):
        found[f"{prefix}cpu_mirrored_vs_off"] = _ratio(
            samples, "throughput", "front_cpu_us", (product, MIRRORED), (product, OFF)
        )
        for state in (AGAIN, *TROUBLE):
            times = _series(samples, "latency", product, state, "times_off")
            name = f"{prefix}p99_primary_{'' if state == AGAIN else 'shadow_'}{state}_vs_off"
            found[name] = statistics.median(times) if times else None
    return {name: round(value, 3) for name, value in found.items() if value is not None}


def figures(samples: Samples) -> dict[str, float]:
    """Medians, with their units in their names; what was not measured is left out."""
    named = {
        "our_requests_per_s_mirrored": ("throughput", OURS, MIRRORED, "requests_per_s"),
        "nginx_requests_per_s_mirrored": ("throughput", NGINX, MIRRORED, "requests_per_s"),
        "data_plane_cpu_us_mirrored": ("throughput", OURS, MIRRORED, "front_cpu_us"),
        "data_plane_cpu_us_off": ("throughput", OURS, OFF, "front_cpu_us"),
        "nginx_cpu_us_mirrored": ("throughput", NGINX, MIRRORED, "front_cpu_us"),
        "nginx_cpu_us_off": ("throughput", NGINX, OFF, "front_cpu_us"),
        "shadow_worker_cpu_us_per_comparison": ("throughput", OURS, MIRRORED, "shadow_cpu_us"),
        "compared_share": ("throughput", OURS, MIRRORED, "compared_share"),
        "data_plane_cpu_us_recording": ("recording", OURS, RECORDING, "front_cpu_us"),
        "data_plane_cpu_us_not_recording": ("recording", OURS, OFF, "front_cpu_us"),
        "shadow_worker_cpu_us_per_recorded": ("recording", OURS, RECORDING, "shadow_cpu_us"),
        "recorded_share": ("recording", OURS, RECORDING, "recorded_share"),
        "compared_after_s": ("throughput", OURS, MIRRORED, "compared_after_s"),
    }
    for product in (OURS, NGINX):
        for state in (OFF, AGAIN, *TROUBLE):
            named[f"{product}_p99_us_shadow_{state}"] = ("latency", product, state, "p99_us")
            named[f"{product}_failed_shadow_{state}"] = ("latency", product, state, "failed")
    found = {
        name: _series(samples, part, product, state, measure)
        for name, (part, product, state, measure) in named.items()
    }
    return {name: round(statistics.median(values), 3) for name, values in found.items() if values}


def tables(samples: Samples) -> str:
    """The tables, as far as they were measured."""
    lines = []
    for product in (OURS, NGINX):
        for state in (OFF, MIRRORED):
            lines += _throughput(samples, "throughput", product, state)
    for state in (OFF, RECORDING):
        lines += _throughput(samples, "recording", OURS, state)
    if lines:
        lines = [
            "| | requests/s | CPU per request, us | core used |",
            "|---|---|---|---|",
            *lines,
            "",
        ]
    for title, cell in (
        ("p99 of the primary, us (requests that failed)", _p99),
        ("divided by `off` of the same round: median (quartiles)", _times),
    ):
        if any(_series(samples, "latency", OURS, OFF, "p99_us")):
            states = (OFF, AGAIN, *TROUBLE)
            lines += [
                f"| {title} | " + " | ".join(states) + " |",
                "|---" * (len(states) + 1) + "|",
                *(
                    f"| {product} | " + " | ".join(cell(samples, product, s) for s in states) + " |"
                    for product in (OURS, NGINX)
                ),
                "",
            ]
    return "\n".join(lines).rstrip()


def _throughput(samples: Samples, part: str, product: str, state: str) -> list[str]:
    rates, cpu, busy = (
        _series(samples, part, product, state, measure)
        for measure in ("requests_per_s", "front_cpu_us", "busy")
    )
    if not rates:
        return []
    bound = "" if statistics.median(busy) >= FULL else "+"
    return [
        f"| {product}, {state} | {statistics.median(rates):,.0f}{bound} |"
        f" {statistics.median(cpu):.1f} | {statistics.median(busy):.0%} |"
    ]


def _p99(samples: Samples, product: str, state: str) -> str:
    took = _series(samples, "latency", product, state, "p99_us")
    failed = _series(samples, "latency", product, state, "failed")
    return f"{statistics.median(took):,.0f} ({statistics.median(failed):.0f})" if took else "-"


def _times(samples: Samples, product: str, state: str) -> str:
    times = _series(samples, "latency", product, state, "times_off")
    if len(times) < QUARTERS:
        return f"{statistics.median(times):.2f}" if times else "-"
    low, middle, high = statistics.quantiles(times, n=QUARTERS, method="inclusive")
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _ratio(
    samples: Samples, part: str, measure: str, mine: tuple[str, str], theirs: tuple[str, str]
) -> float | None:
    ours, others = (_series(samples, part, *each, measure) for each in (mine, theirs))
    return ratio(ours, others) if ours and others else None


def _series(samples: Samples, part: str, product: str, state: str, measure: str) -> list[float]:
    return list(samples.series(part, f"{product} {state}", measure))
