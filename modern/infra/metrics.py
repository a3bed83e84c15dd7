"""What is counted and timed, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from shadow_compare.dry_run import is_dry_run

# From a cached answer (1 ms) to the threshold at which a rollout is taken back (1 s) and beyond.
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Happened(Counter):
    """Counts what has happened: nothing of a dry run has."""

    def inc(self, amount: float = 1, exemplar: dict[str, str] | None = None) -> None:
        """Count, for real."""
        if not is_dry_run():
            super().inc(amount, exemplar)


class Metrics:
    """The metrics of one application, in a registry of its own: two can share a process."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.request_duration = Histogram(
            "http_request_duration_seconds",
            "Time from the first byte of a request to the last of its answer.",
            ["method", "route", "status"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.query_duration = Histogram(
            "db_query_duration_seconds",
            "Time of one SQL statement.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.pool_connections = Gauge(
            "db_pool_connections_in_use",
            "Connections to the database that a request holds.",
            registry=self.registry,
        )
        self.subscriptions_created = Happened(
            "subscriptions_created_total",
            "Subscriptions that were begun.",
            registry=self.registry,
        )
        self.subscriptions_cancelled = Happened(
            "subscriptions_cancelled_total",
            "Subscriptions that were cancelled.",
            registry=self.registry,
        )
        self.users_registered = Happened(
            "users_registered_total", "Users that registered.", registry=self.registry
        )
        self.processor_asked = Happened(
            "processor_asked_total",
            "What the processor was asked (charge, refund) and said (approved, refused, unclear).",
            ["what", "outcome"],
            registry=self.registry,
        )
        self.cache_reads = Counter(
            "cache_reads_total",
            "Reads through the cache: hit, loaded, joined or waited for another load, bypassed.",
            ["outcome"],
            registry=self.registry,
        )

    def exposition(self) -> bytes:
        """Return all of it in the text format of Prometheus."""
        return generate_latest(self.registry)
