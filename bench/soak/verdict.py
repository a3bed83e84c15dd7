"""Whether the readings of a soak show growth. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.stats import slope

WARM_UP = 1 / 3
"""The share of the readings that is left out at the beginning: caches and pools fill then."""

WARM_UP_REQUESTS = 1_000_000
"""And at least so many requests: memory stays at the mark of the worst coincidence so far, such as
thousands of refused connections that linger at once, and coincidences get rarer, not extinct."""

FEWEST = 10
"""Readings, after the warm-up, below which nothing is concluded."""

LEAK = 0.5
"""Bytes per request. The smallest thing that Python can leave behind takes about 50: this finds one
left behind by every hundredth request."""


@dataclass(frozen=True, slots=True)
class Reading:
    """The worker after a slice: memory in bytes, `requests` since the beginning."""

    seconds: float
    requests: int
    pss: int
    rss: int
    others: int
    """PSS of controller, shadow worker and supervisor together."""
    files: int
    rate: float


@dataclass(frozen=True, slots=True)
class Result:
    """What the readings say; `figures` go into the JSON."""

    good: bool
    sentence: str
    figures: dict[str, float]


def judge(readings: Sequence[Reading], surprises: Mapping[str, str]) -> Result:
    """Judge by the slope of Theil and Sen of the worker's memory over requests, after the warm-up.

    The memory is RSS, not PSS: the processes are forked from one, and a page that a sibling stops
    sharing would raise the worker's PSS, although the worker took nothing.
    Growth is stated when even the lower end of the slope's 95% interval is above zero and its
    middle is more than `LEAK`: the first alone would find the drift of any allocator given enough
    readings, the second alone would believe in chance.
    """
    late = readings[int(len(readings) * WARM_UP) :]
    kept = [reading for reading in late if reading.requests > WARM_UP_REQUESTS]
    if surprises:
        said = "; ".join(f"{kind}: {example}" for kind, example in surprises.items())
        return Result(False, f"FAILED: not answered as it must be: {said}", {})
    if len(kept) < FEWEST:
        return Result(
            False,
            f"NO VERDICT: {len(kept)} readings after the warm-up of at least {WARM_UP_REQUESTS:,}"
            f" requests, {FEWEST} are needed",
            {},
        )
    trend = slope([r.requests for r in kept], [r.rss for r in kept])
    grows = trend.low > 0 and trend.middle > LEAK
    figures = {
        "requests": float(readings[-1].requests),
        "worker_rss_first_mb": round(kept[0].rss / 1e6, 2),
        "worker_rss_last_mb": round(kept[-1].rss / 1e6, 2),
        "worker_growth_bytes_per_request": round(trend.middle, 3),
        "worker_growth_mb_per_10_million_requests": round(trend.middle * 10, 2),
        "open_files_last": float(kept[-1].files),
    }
    sentence = (
        f"{'GROWS' if grows else 'NO GROWTH'}: {trend.middle:+.3f} bytes per request (95% between"
        f" {trend.low:+.3f} and {trend.high:+.3f}) over {len(kept)} readings after the warm-up;"
        f" more than {LEAK} counts as growth"
    )
    return Result(not grows, sentence, figures)


HEADER = (
    f"{'seconds':>8}{'requests':>12}{'per s':>8}{'PSS MB':>10}{'RSS MB':>10}"
    f"{'files':>7}{'others MB':>11}"
)


def line(reading: Reading) -> str:
    """One reading as a line below HEADER."""
    return (
        f"{reading.seconds:8.0f}{reading.requests:12,}{reading.rate:8.0f}{reading.pss / 1e6:10.2f}"
        f"{reading.rss / 1e6:10.2f}{reading.files:7}{reading.others / 1e6:11.1f}"
    )


def table(readings: Sequence[Reading], rows: int = 20) -> str:
    """About so many of the readings, evenly, and the last."""
    step = max(len(readings) // rows, 1)
    chosen = list(readings[::step])
    if readings and chosen[-1] is not readings[-1]:
        chosen.append(readings[-1])
    return "\n".join([HEADER, *map(line, chosen)])
