"""The workloads: what is asked, over how many connections, of which variants of the products."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from bench.load.requests import Shape
from bench.proxy.products.site import Variant


class Kind(StrEnum):
    """How a workload is measured."""

    CLOSED = "closed"
    """As fast as the product can: CPU time per request and throughput."""
    OPEN = "open"
    """Half of that, due at drawn times: latencies beside those of a direct connection."""
    IDLE = "idle"
    """Connections that wait: memory for each."""


PLAIN = Variant()
SMALL = Shape()


@dataclass(frozen=True, slots=True)
class Workload:
    """One row of the README's list; `variants` take turns like products do."""

    name: str
    meaning: str
    kind: Kind = Kind.CLOSED
    shape: Shape = SMALL
    connections: int = 32
    variants: tuple[Variant, ...] = (PLAIN,)
    seconds: int = 1
    """How long a measurement must be at least, whatever was asked for."""
    quick: bool = False
    """Whether it belongs to the default."""


WORKLOADS: tuple[Workload, ...] = (
    Workload("get", "GET, 10,000 different requests, answers of 289 bytes, 32 connections",
             quick=True),
    Workload("repeated", "the same with 200 different requests, as of clients that poll",
             shape=Shape(different=200), quick=True),
    Workload("latency", "as get, at half load, open loop, 128 connections",
             Kind.OPEN, connections=128, quick=True),
    Workload("large", "GET, answers of 100 KB", shape=Shape(path="/large"), quick=True),
    Workload("post", "POST of 10 KB, answers of 15 bytes",
             shape=Shape("POST", "/post", body=10_240), quick=True),
    Workload("one", "GET over 1 connection", connections=1),
    Workload("thousand", "GET over 1,000 connections", connections=1000, seconds=6),
    Workload("routes", "GET with 20, 200 and 2,000 routes, spread over all",
             variants=(Variant(routes=20), Variant(routes=200), Variant(routes=2000)), quick=True),
    Workload("tls", "GET over TLS, kept connections", variants=(Variant(tls=True),)),
    Workload("handshakes", "GET over TLS, a connection and a full handshake for each request",
             shape=Shape(close=True), variants=(Variant(tls=True),)),
    Workload("workers", "GET with 1 and 2 workers", variants=(Variant(), Variant(workers=2))),
    Workload("idle", "10,000 connections that have asked once", Kind.IDLE, connections=10_000),
)  # fmt: skip

BY_NAME = {workload.name: workload for workload in WORKLOADS}
