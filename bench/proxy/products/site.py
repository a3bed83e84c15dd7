"""What a product is asked to be, and what it takes to start it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

UPSTREAM_CONNECTIONS = 1024
"""How many connections to the origin every product may keep: never the limit of a workload."""


@dataclass(frozen=True, slots=True)
class Variant:
    """How all products are set up for some workloads. `routes` 0: no more than are needed."""

    routes: int = 0
    workers: int = 1
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Site:
    """One instance of a product: where it listens, what it forwards to, and in which variant."""

    folder: Path
    port: int
    origin: int
    variant: Variant = Variant()
    certificate: Path | None = None
    access_log: bool = False
    spare: int = 0
    """Another free port, for products that need one for themselves."""

    @property
    def key(self) -> Path | None:
        """The certificate's private key."""
        return None if self.certificate is None else self.certificate.with_suffix(".key")


@dataclass(frozen=True, slots=True)
class Plan:
    """The files of an instance, the command that starts it, and its environment."""

    command: list[str]
    files: dict[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Product:
    """One product: `program` must be there, `package` says where it comes from."""

    name: str
    program: str
    package: str
    configure: Callable[[Site], Plan]
    routes: bool = True
    """Whether its configuration can express many routes."""
    tls: bool = True
    busy_most: int = 1_000_000
    """Busy connections above which it answers next to nothing, so that there is nothing to see."""
    split: bool = False
    """Whether some of its processes serve and others do not: both are told apart."""


def route_prefixes(count: int) -> list[str]:
    """The paths that lie below one route each; what is not among them goes to a last route."""
    return [f"/api/r{number}" for number in range(count)]
