from __future__ import annotations

import re

from prometheus_client.core import Metric

from proxy.observe.metrics import (
    EVENTS,
    Metrics,
    ProcessReading,
    Reading,
    RouteReading,
    WorkerReading,
)
from tests.support_docs import code, codes, read, rows

TEXT = read("metrics.md")
DOCUMENTED = {code(row["metric"]): row for row in rows(TEXT) if "metric" in row}

ROUTE = RouteReading(
    id="plans",
    weight_configured=0.1,
    weight_in_force=0.0,
    weight_observed=0.0,
    rolled_back=True,
    outcomes={("modern", "ok"): 1},
    served={"modern": 1},
    fallbacks=1,
    latencies={"modern": {1: 1}},
    comparisons={("match", ""): 1, ("not_compared", "timeout"): 1},
    dropped={"queue_full": 1},
    rollbacks={"t1": 1},
    writes_halted=False,
)
READING = Reading(
    version=1,
    kill_switch=False,
    rules_refused=False,
    store_failed=False,
    captures_sent=1,
    routes=(ROUTE,),
    workers=(
        WorkerReading("worker", 0, 1, connected=True, connections=1, queue=0),
        WorkerReading("shadow", 0, 1, connected=True, connections=0, queue=1),
    ),
    pools={(0, "modern", "idle"): 1},
    instances={(0, "modern", "127.0.0.1:8082"): (1, 0)},
    breakers={(0, "modern"): 0},
    certificates={(0, "/etc/cutover/shop.crt"): 1.8e9},
    events={(event, "x"): 1 for event in EVENTS},
    stream={"length": 3, "lag": 1, "pending": 2},
    processes=(ProcessReading("worker", 0, restarts=1, hangs=0),),
)


def _families() -> dict[str, Metric]:
    """Give every family, of each of which there is a sample, as it is called outside."""
    found = list(Metrics(lambda: READING).collect())
    assert all(family.samples for family in found)
    return {f"{f.name}_total" if f.type == "counter" else f.name: f for f in found}


def test_every_metric_is_documented_and_no_other() -> None:
    """The table has the families in the order in which they are written."""
    assert list(DOCUMENTED) == list(_families())


def test_types_and_labels_are_the_real_ones() -> None:
    """Each row says of what type the metric is and which labels it has."""
    for name, family in _families().items():
        row = DOCUMENTED[name]
        assert row["type"] == family.type, name
        assert set(codes(row["labels"])) == set(family.samples[0].labels) - {"le"}, name


def test_alerts_use_metrics_that_exist() -> None:
    """Every expression names only metrics of the table."""
    known = set(_families())
    for row in rows(TEXT):
        named = set(re.findall(r"\bcutover_\w+", row.get("expression", "")))
        assert named <= known
