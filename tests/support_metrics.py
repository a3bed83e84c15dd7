"""A reading with a sample of every metric, and PromQL taken apart as far as names and labels go."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.core import Metric

from proxy.control.live import Totals
from proxy.observe.metrics import (
    EVENTS,
    VERDICTS,
    Families,
    HostReading,
    HostsReading,
    ProcessReading,
    Reading,
    RouteReading,
    WorkerReading,
)
from proxy.outcome import Tally


def _outcomes() -> dict[tuple[str, str], int]:
    totals = Totals()
    for side in ("legacy", "modern"):
        totals.add(side, Tally(ok=1))
    return totals.outcomes


ROUTE = RouteReading(
    id="plans",
    weight_configured=0.1,
    weight_in_force=0.0,
    weight_observed=0.0,
    rolled_back=True,
    outcomes=_outcomes(),
    served={"legacy": 1, "modern": 1},
    fallbacks=1,
    latencies={"legacy": {1: 1}, "modern": {1: 1}},
    comparisons={(verdict, "timeout"): 1 for verdict in VERDICTS},
    dropped={"queue_full": 1},
    rollbacks={"t1": 1},
    writes_halted=False,
    held_since=1.8e9,
)
READING = Reading(
    version=1,
    kill_switch=False,
    rules_refused=False,
    store_failed=False,
    captures_sent=1,
    routes=(ROUTE,),
    workers=(
        WorkerReading("worker", "0", 1, connected=True, connections=1, queue=0),
        WorkerReading("shadow", "0", 1, connected=True, connections=0, queue=1),
    ),
    pools={("0", "modern", state): 1 for state in ("idle", "leased", "connecting", "waiting")},
    instances={("0", "modern", "127.0.0.1:8082"): (1, 0)},
    breakers={("0", "modern"): 0},
    certificates={("0", "/etc/cutover/shop.crt"): 1.8e9},
    events={(event, "delivered" if event == "alerts" else "x"): 1 for event in EVENTS},
    stream={"length": 3, "lag": 1, "pending": 2},
    processes=(ProcessReading("worker", 0, restarts=1, hangs=0),),
    hosts=HostsReading(acts=True, token=1, hosts={"web1": HostReading(True, True, 1)}),
)
"""What every metric has a sample of, by values of labels that the product really has."""


def families() -> dict[str, Metric]:
    """Give every family, of each of which there is a sample, as it is called outside."""
    found = list(Families(READING).collect())
    assert all(family.samples for family in found)
    return {f"{f.name}_total" if f.type == "counter" else f.name: f for f in found}


@dataclass(frozen=True, slots=True)
class Selector:
    """A metric as an expression asks for it; `matchers` are label, operator and value."""

    metric: str
    matchers: tuple[tuple[str, str, str], ...]


_GROUPING = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)", re.ASCII
)
_SELECTOR = re.compile(
    r'(?<![\w:])([a-zA-Z_:][\w:]*)(?![\w:])(?!\s*\()\s*(?:\{((?:"[^"]*"|[^}"])*)\})?'
)
_MATCHER = re.compile(r'([a-zA-Z_]\w*)\s*(=~|!~|!=|=)\s*"([^"]*)"')
_WORDS = frozenset({"and", "or", "unless", "bool", "offset"})


def selectors(expression: str) -> Iterator[Selector]:
    """Give every metric that an expression asks for."""
    bare = re.sub(r"\[[^\]]*\]", "", _GROUPING.sub("", expression))
    for name, inside in _SELECTOR.findall(bare):
        if name not in _WORDS:
            yield Selector(name, tuple(_MATCHER.findall(inside)))


def grouped(expression: str) -> set[str]:
    """Give the labels by which an expression groups or matches its sides."""
    found = ",".join(_GROUPING.findall(expression))
    return {label.strip() for label in found.split(",")} - {""}


OUTSIDE = {"up": {"job"}, "ALERTS": {"alertname", "alertstate", "severity", "route"}}
"""What Prometheus adds by itself."""

TARGET = {"job"}
"""Labels that every metric has once it has been scraped; `instance` is one of ours."""


def check(expression: str, recorded: dict[str, set[str]]) -> list[str]:
    """Say what an expression asks for that there is not; `recorded` has the labels of rules."""
    wrong, has = [], set[str]()
    for selector in selectors(expression):
        labels = _labels(selector.metric, recorded)
        if labels is None:
            wrong.append(f"there is no metric {selector.metric}")
            continue
        has |= labels.keys()
        for label, operator, value in selector.matchers:
            if label not in labels:
                wrong.append(f"{selector.metric} has no label {label}")
            elif not _may_match(labels[label], operator, value):
                wrong.append(f"{selector.metric} never has {label}{operator}{value}")
    wrong += [f"nothing has the label {label}" for label in grouped(expression) - has]
    return wrong


def _labels(metric: str, recorded: dict[str, set[str]]) -> dict[str, set[str]] | None:
    """Give the labels of a metric with the values that they may have; none where any will do."""
    if metric in OUTSIDE or metric in recorded:
        return {label: set() for label in OUTSIDE.get(metric) or recorded[metric]}
    samples = [s for f in families().values() for s in f.samples if s.name == metric]
    if not samples:
        return None
    found: dict[str, set[str]] = {label: set() for label in TARGET}
    for sample in samples:
        for label, value in sample.labels.items():
            found.setdefault(label, set())
            if label in CLOSED.get(metric, ()):
                found[label].add(value)
    return found


CLOSED = {
    "cutover_requests_total": ("side", "outcome"),
    "cutover_served_total": ("side",),
    "cutover_comparisons_total": ("verdict",),
    "cutover_pool_connections": ("state",),
    "cutover_alerts_total": ("outcome",),
}
"""Labels of which the reading has every value; of others, such as routes, any may be asked for."""


def _may_match(known: set[str], operator: str, value: str) -> bool:
    if not known:
        return True
    asked = set(value.split("|")) if operator.endswith("~") else {value}
    return asked <= known
