"""From samples to the tables, the ratios and the figures. Pure."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from bench.proxy.instance import describe
from bench.proxy.measure import FULL
from bench.proxy.products.site import Variant
from bench.proxy.sample import Samples
from bench.proxy.workload import Kind, Workload
from bench.stats import difference, ratio

OURS = "cutover"

_RATIOS = (
    ("cpu_us", "cpu_per_request"),
    ("requests_per_s", "throughput"),
    ("kb_per_connection", "memory_per_connection"),
)


def tables(samples: Samples, workloads: Sequence[Workload]) -> str:
    """All tables, one for each workload."""
    return "\n\n".join(_table(samples, workload) for workload in workloads)


def ratios(samples: Samples, workloads: Sequence[Workload]) -> dict[str, float]:
    """Ours divided by each peer's, round by round: the median of that.

    The small GET has plain names (`cpu_per_request_vs_nginx`), the others carry theirs
    (`cpu_per_request_post_vs_nginx`).
    """
    found: dict[str, float] = {}
    for workload in workloads:
        for variant in workload.variants:
            suffix = _suffix(workload, variant)
            for peer in _products(samples, workload)[1:]:
                for measure, key in _RATIOS:
                    mine = samples.series(workload.name, OURS, measure, variant)
                    theirs = samples.series(workload.name, peer, measure, variant)
                    if mine and theirs:
                        found[f"{key}{suffix}_vs_{peer}"] = round(ratio(mine, theirs), 3)
    found |= dict(_route_ratios(samples))
    one = samples.series("workers", OURS, "cpu_us", Variant())
    two = samples.series("workers", OURS, "cpu_us", Variant(workers=2))
    if one and two:
        found["cpu_per_request_2_workers_vs_1_worker"] = round(ratio(two, one), 3)
    return found


def _route_ratios(samples: Samples) -> Iterator[tuple[str, float]]:
    few = samples.series("routes", OURS, "cpu_us", Variant(routes=20))
    for count in (200, 2000):
        many = samples.series("routes", OURS, "cpu_us", Variant(routes=count))
        if few and many:
            yield f"cpu_per_request_{count}_routes_vs_20_routes", round(ratio(many, few), 3)


def figures(samples: Samples, workloads: Sequence[Workload]) -> dict[str, float]:
    """Plain medians, with the product before and the unit after their names."""
    found: dict[str, float] = {}
    for workload in workloads:
        for variant in workload.variants:
            suffix = _suffix(workload, variant)
            for product in _products(samples, workload):
                values = _medians(samples, workload, product, variant)
                for measure, digits in (
                    ("cpu_us", 1), ("data_plane_cpu_us", 1), ("requests_per_s", 0), ("p50_us", 0),
                    ("p99_us", 0), ("p99_added_ms", 3), ("pss_mb", 1), ("kb_per_connection", 1),
                ):  # fmt: skip
                    if measure in values and (measure != "pss_mb" or workload.name == "get"):
                        found[f"{product}{suffix}_{measure}"] = round(values[measure], digits)
    return found


def _suffix(workload: Workload, variant: Variant) -> str:
    if workload.name in ("get", "latency", "idle"):
        return {"get": "", "latency": "_half_load", "idle": "_idle"}[workload.name]
    if variant.routes:
        return f"_{variant.routes}_routes"
    if workload.name == "workers":
        return "_1_worker" if variant.workers == 1 else f"_{variant.workers}_workers"
    return f"_{workload.name}"


def _products(samples: Samples, workload: Workload) -> list[str]:
    found = dict.fromkeys(s.product for s in samples.all if s.workload == workload.name)
    return [OURS, *(name for name in found if name != OURS)]


def _medians(
    samples: Samples, workload: Workload, product: str, variant: Variant
) -> dict[str, float]:
    mine = [
        s for s in samples.all
        if (s.workload, s.product, s.variant) == (workload.name, product, variant)
    ]  # fmt: skip
    if not mine:
        return {}
    found = {name: statistics.median(s.values[name] for s in mine) for name in mine[0].values}
    if workload.kind is Kind.OPEN:
        for share in ("p50", "p99"):
            through = [s.values[f"{share}_us"] for s in mine]
            direct = [s.values[f"direct_{share}_us"] for s in mine]
            found[f"{share}_added_ms"] = difference(through, direct) / 1000
    return found


_COLUMNS: dict[Kind, tuple[tuple[str, str, str], ...]] = {
    Kind.CLOSED: (
        ("cpu_us", "CPU us/request", ".1f"), ("data_plane_cpu_us", "data plane", ".1f"),
        ("requests_per_s", "requests/s", ".0f"), ("busy", "of its core", ".0%"),
        ("pss_mb", "PSS MB", ".1f"), ("rss_mb", "RSS MB", ".1f"),
    ),
    Kind.OPEN: (
        ("rate", "requests/s", ".0f"), ("p50_us", "p50 us", ".0f"), ("p99_us", "p99 us", ".0f"),
        ("p999_us", "p99.9 us", ".0f"), ("direct_p50_us", "direct p50", ".0f"),
        ("direct_p99_us", "direct p99", ".0f"), ("p99_added_ms", "p99 added ms", ".3f"),
        ("late_us", "sent late us", ".0f"), ("stolen", "stolen", ".1%"),
    ),
    Kind.IDLE: (
        ("kb_per_connection", "KB/connection", ".1f"), ("before_mb", "PSS before MB", ".1f"),
    ),
}  # fmt: skip


def _table(samples: Samples, workload: Workload) -> str:
    columns = _COLUMNS[workload.kind]
    lines = [
        f"{workload.name}: {workload.meaning}",
        " " * 26 + "".join(f"{title:>16}" for _, title, _ in columns),
    ]
    limited = False
    for variant in workload.variants:
        for product in _products(samples, workload):
            values = _medians(samples, workload, product, variant)
            if not values:
                continue
            cells = [
                format(values[name], how) if name in values else "" for name, _, how in columns
            ]
            if "busy" in values and values["busy"] < FULL and variant.workers == 1:
                cells[columns.index(("requests_per_s", "requests/s", ".0f"))] += "+"
                limited = True
            label = product + describe(variant)
            lines.append(f"{label:26}" + "".join(f"{cell:>16}" for cell in cells))
    if limited:
        lines.append(
            "+ its core was not always busy: the load, or other work on the machine, was the limit"
        )
    return "\n".join(lines)
