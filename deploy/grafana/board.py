"""What the dashboard shows: the table of its rows and panels."""

from __future__ import annotations

from typing import Any, Final

from deploy.grafana.panel import SOURCE, Panel, Row, grid

ROUTE: Final = 'route=~"$route"'
EVERY: Final = "$__rate_interval"


def rate(metric: str, *by: str, where: str = "") -> str:
    """Ask for how often something happens in a second, added up by labels."""
    selector = f"{metric}{{{where}}}" if where else metric
    grouping = f"by ({', '.join(by)}) " if by else ""
    return f"sum {grouping}(rate({selector}[{EVERY}]))"


def share(metric: str, by: str, part: str, whole: str, where: str = "") -> str:
    """Ask for the share of `part` in `whole`, both of them matchers."""
    above, below = (",".join(filter(None, (where, each))) for each in (part, whole))
    return f"{rate(metric, by, where=above)} / {rate(metric, by, where=below)}"


def failed(where: str = "") -> str:
    """Ask for the share of failures among the attempts that were judged, by side."""
    return share("cutover_requests_total", "side", 'outcome="bad"', 'outcome=~"ok|bad"', where)


EQUAL: Final = share(
    "cutover_comparisons_total", "route", 'verdict=~"match|ignored"', 'verdict!="not_compared"'
)


OVERVIEW: Final = Row(
    "Overview",
    (
        Panel("Rolled back", "Routes that wait to be resumed.",
              {"routes": "sum(cutover_rolled_back)"}, kind="stat", width=4, bad=1),
        Panel("Kill switch", "1 while legacy serves everything.",
              {"on": "max(cutover_kill_switch)"}, kind="stat", width=4, bad=1),
        Panel("Rules", "Version of the routing in force.",
              {"version": "max(cutover_rules_version)"}, kind="stat", width=4),
        Panel("Rules refused", "1 while the file is not what is in force.",
              {"refused": "max(cutover_rules_refused)"}, kind="stat", width=4, bad=1),
        Panel("Store failed", "1 while nothing can be written down.",
              {"failed": "max(cutover_store_failed)"}, kind="stat", width=4, bad=1),
        Panel("Workers gone", "Workers that are not connected to the controller.",
              {"gone": "count(cutover_worker_connected == 0) or vector(0)"},
              kind="stat", width=4, bad=1),
    ),
    height=4,
)  # fmt: skip

TRAFFIC: Final = Row(
    "All routes",
    (
        Panel("Requests", "By the side that answered.",
              {"{{side}}": rate("cutover_served_total", "side")},
              unit="reqps", stacked=True),
        Panel("Failed attempts", "Of those that were judged, by side.",
              {"{{side}}": failed()},
              unit="percentunit"),
        Panel("Routes by share", "The share that modern gets of each route.",
              {"{{route}}": "max by (route) (cutover_weight_in_force)"},
              unit="percentunit", most=1),
        Panel("Refused by the proxy", "Before a route was chosen, or by a limit.",
              {"status {{status}}": rate("cutover_refused_requests_total", "status"),
               "{{reason}}": rate("cutover_rejected_requests_total", "reason")},
              unit="reqps"),
        Panel("Rollbacks", "Since the controller started, by route and detector.",
              {"{{route}}: {{reason}}": "sum by (route, reason) (cutover_rollbacks_total)"}),
        Panel("Alerts that fire", "By Prometheus, from deploy/prometheus/rules.yml.",
              {"{{alertname}} {{route}}":
               'count by (alertname, route) (ALERTS{alertname=~"Cutover.*",alertstate="firing"})'}),
    ),
)  # fmt: skip

EACH_ROUTE: Final = Row(
    "Route $route",
    (
        Panel("Share for modern", "As the rules say it, in force, and observed.",
              {"configured": f"max(cutover_weight_configured{{{ROUTE}}})",
               "in force": f"max(cutover_weight_in_force{{{ROUTE}}})",
               "observed": f"max(cutover_weight_observed{{{ROUTE}}})"},
              unit="percentunit", most=1),
        Panel("Requests", "Attempts by side and how they ended.",
              {"{{side}} {{outcome}}":
               f"sum by (side, outcome) (rate(cutover_requests_total{{{ROUTE}}}[{EVERY}])) > 0"},
              unit="reqps", stacked=True),
        Panel("Failed attempts", "Of those that were judged.",
              {"{{side}}": failed(ROUTE)},
              unit="percentunit"),
        Panel("Latency", "To the head of the answer: median and 95th percentile.",
              {f"{{{{side}}}} p{number}":
               f"histogram_quantile({number / 100}, sum by (side, le)"
               f" (rate(cutover_request_duration_seconds_bucket{{{ROUTE}}}[{EVERY}])))"
               for number in (50, 95)},
              unit="s"),
        Panel("Comparisons", "By how they ended.",
              {"{{verdict}}":
               rate("cutover_comparisons_total", "verdict", where=ROUTE)},
              unit="ops", stacked=True),
        Panel("Saved by legacy", "Requests that modern failed and legacy answered.",
              {"fallbacks": rate("cutover_fallbacks_total", where=ROUTE)},
              unit="reqps"),
    ),
    repeat="route",
)  # fmt: skip

COMPARISON: Final = Row(
    "Comparison",
    (
        Panel("Equal answers", "Share of what was compared, by route.",
              {"{{route}}": EQUAL},
              unit="percentunit", most=1),
        Panel("Captures", "Handed to shadow workers, and dropped, by reason.",
              {"sent": rate("cutover_captures_sent_total"),
               "dropped: {{reason}}":
               rate("cutover_captures_dropped_total", "reason")},
              unit="ops"),
        Panel("Not compared", "Pairs that were not compared, by reason.",
              {"{{reason}}": rate("cutover_not_compared_total", "reason")},
              unit="ops", stacked=True),
        Panel("What waits", "Captures in shadow workers, and in the Redis stream if there is one.",
              {"shadow {{index}}": "max by (index) (cutover_shadow_queue)",
               "in Redis": "max(cutover_capture_stream_length)",
               "unread in Redis": "max(cutover_capture_stream_lag)"}),
        Panel("Writes halted", "1 while the writes of a route are mirrored no more.",
              {"{{route}}": "max by (route) (cutover_writes_halted)"}, most=1),
        Panel("Plans on hold", "For how long.",
              {"{{route}}": "time() - min by (route) (cutover_plan_held_since_seconds)"},
              unit="s"),
    ),
)  # fmt: skip

UPSTREAMS: Final = Row(
    "Upstreams",
    (
        Panel("Connections", "By side and what they do, of all workers.",
              {"{{side}} {{state}}": "sum by (side, state) (cutover_pool_connections)"}),
        Panel("In flight", "Requests on each instance.",
              {"{{side}} {{instance}}": "sum by (side, instance) (cutover_instance_in_flight)"}),
        Panel("Instances out", "Workers that leave an instance out.",
              {"{{side}} {{instance}}":
               "count by (side, instance) (cutover_instance_admitted == 0)"}),
        Panel("Second attempts", "Retries, and those that a budget denied.",
              {"{{side}} retried": rate("cutover_retries_total", "side"),
               "{{side}} denied":
               rate("cutover_retry_budget_exhausted_total", "side")},
              unit="reqps"),
        Panel("Breakers", "0 closed, 1 half open, 2 open.",
              {"{{side}}, worker {{worker}}": "max by (side, worker) (cutover_breaker_state)"},
              most=2),
        Panel("Probes that failed", "By instance.",
              {"{{instance}}": rate("cutover_probes_failed_total", "instance")},
              unit="ops"),
    ),
)  # fmt: skip

PROCESSES: Final = Row(
    "Processes of the data plane, and beside it",
    (
        Panel("Clients", "Connections of each worker.",
              {"worker {{index}}": "max by (index) (cutover_worker_connections)"}, stacked=True),
        Panel("Version", "Of the routing that each process goes by.",
              {"{{role}} {{index}}": "max by (role, index) (cutover_worker_version)"}),
        Panel("Restarts and hangs", "In the last hour.",
              {"{{role}} {{index}} started again":
               "sum by (role, index) (increase(cutover_process_restarts_total[1h])) > 0",
               "{{role}} {{index}} stood still":
               "sum by (role, index) (increase(cutover_process_hangs_total[1h])) > 0"}),
        Panel("Compiled", "1 for each worker that runs the compiled hot path.",
              {"worker {{index}}": "max by (index) (cutover_worker_compiled)"}, most=1),
        Panel("Retiring", "Workers that an upgrade has replaced and that still serve somebody.",
              {"workers": "max(cutover_workers_retiring)"}),
        Panel("Traces", "Spans that the collector has taken, and those that were dropped, by why.",
              {"sent": rate("cutover_spans_sent_total"),
               "dropped: {{reason}}": rate("cutover_spans_dropped_total", "reason")},
              unit="ops"),
        Panel("Certificates", "How long each is valid yet.",
              {"{{certificate}}":
               "min by (certificate) (cutover_tls_certificate_not_after_seconds) - time()"},
              unit="s"),
    ),
)  # fmt: skip

ROWS: Final = (OVERVIEW, TRAFFIC, EACH_ROUTE, COMPARISON, UPSTREAMS, PROCESSES)


def dashboard() -> dict[str, Any]:
    """Give the whole dashboard as Grafana reads it."""
    return {
        "uid": "cutover",
        "title": "Cutover",
        "tags": ["cutover"],
        "schemaVersion": 39,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "graphTooltip": 1,
        "templating": {"list": [_source(), _route()]},
        "panels": grid(ROWS),
    }


def _source() -> dict[str, Any]:
    return {"name": "source", "label": "Prometheus", "type": "datasource", "query": "prometheus"}


def _route() -> dict[str, Any]:
    """Give the variable by which routes are chosen; each chosen one gets a row."""
    return {
        "name": "route",
        "label": "Route",
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": "label_values(cutover_weight_configured, route)", "refId": "routes"},
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": False,
    }
