"""What the control plane tells everybody: one numbered, complete state of the routing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.routing.rules import Rules
from proxy.routing.schema import rules_from_plain


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of the routing, valid until the next.

    `document` is the rules file as plain values (what YAML or JSON gives), `rules` the same parsed.
    `rolled_back` holds ids of routes that stay at weight 0 until resumed, `halted_writes` of those
    whose writes are not mirrored until resumed; `write_epochs` tells of routes whose writes were
    resumed, in which version. `version` only grows.
    """

    version: int
    document: dict[str, Any]
    rules: Rules
    rolled_back: frozenset[str] = frozenset()
    kill_switch: bool = False
    halted_writes: frozenset[str] = frozenset()
    write_epochs: Mapping[str, int] = field(default_factory=dict)

    def weight(self, route_id: str) -> int:
        """Weight in force for a route, in hundredths of a percent; 0 when rolled back or killed."""
        route = self.rules.route(route_id)
        if route is None or self.kill_switch or route_id in self.rolled_back:
            return 0
        return route.weight

    def mirrored_writes(self) -> dict[str, int]:
        """Give the routes whose writes are mirrored, with the version in which that was resumed."""
        if self.kill_switch:
            return {}
        return {
            route.id: self.write_epochs.get(route.id, 0)
            for route in self.rules.routes
            if route.mirror.writes and route.id not in self.halted_writes
        }

    def to_wire(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "version": self.version,
            "document": self.document,
            "rolled_back": sorted(self.rolled_back),
            "kill_switch": self.kill_switch,
            "halted_writes": sorted(self.halted_writes),
            "write_epochs": dict(self.write_epochs),
        }

    @classmethod
    def from_wire(cls, data: dict[str, Any], before: Snapshot | None = None) -> Snapshot:
        """From what `to_wire` gave; a document that is the one of `before` is not parsed again.

        Most versions have it unchanged, as rollbacks do, and to parse 2,000 routes takes 40 ms, in
        which a worker would serve nobody. Raises RulesError when the document is not a valid one.
        """
        document = data["document"]
        if before is not None and before.document == document:
            document, rules = before.document, before.rules
        else:
            rules = rules_from_plain(document)
        return cls(
            version=data["version"],
            document=document,
            rules=rules,
            rolled_back=frozenset(data["rolled_back"]),
            kill_switch=data["kill_switch"],
            # A controller that was started before these were told of mirrors no writes.
            halted_writes=frozenset(data.get("halted_writes", ())),
            write_epochs=data.get("write_epochs", {}),
        )
