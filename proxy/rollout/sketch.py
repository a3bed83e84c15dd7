"""Quantiles from counted latency buckets; two sketches are merged by adding their counts."""

from __future__ import annotations

import math
from collections.abc import Mapping

from proxy.outcome import latency_of


def quantile(latencies: Mapping[int, int], share: float) -> float | None:
    """Latency in seconds below or at which this share of the samples lies; None without samples.

    Nearest rank over the buckets of `proxy.outcome`, so it is exact to their width of 2%.
    """
    total = sum(latencies.values())
    if total <= 0:
        return None
    rank = max(1, math.ceil(share * total))
    seen = 0
    for bucket in sorted(latencies):
        seen += latencies[bucket]
        if seen >= rank:
            return latency_of(bucket)
    raise AssertionError("the counts do not add up to their own sum")
