"""The ignore rules in force and those that have ended, with how often each mattered."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from proxy.admin.interfaces import Controller
from proxy.routing.compare_rules import Standing
from proxy.routing.rules import Rules
from proxy.routing.schema import load_rules
from shadow_compare.report import Coverage


@dataclass(frozen=True, slots=True)
class RuleStanding:
    """An ignore rule of a route; `hits` differences it ruled out, `missed` came after its end."""

    route: str
    path: str
    reason: str
    owner: str
    until: date | None
    standing: Standing
    hits: int
    missed: int

    def to_plain(self) -> dict[str, Any]:
        """As JSON-able values."""
        return {
            "route": self.route,
            "path": self.path,
            "reason": self.reason,
            "owner": self.owner,
            "until": None if self.until is None else self.until.isoformat(),
            "standing": self.standing.value,
            "hits": self.hits,
            "missed": self.missed,
        }


class RulesInForce:
    """Gives the rules of the version in force; where they are not at hand, reads them once."""

    def __init__(self, controller: Controller) -> None:
        self._controller = controller
        self._read: tuple[int, Rules] | None = None

    async def get(self) -> Rules:
        """Give them."""
        known = self._controller.rules()
        if known is not None:
            return known
        number = self._controller.brief().version
        if self._read is None or self._read[0] != number:
            record = await self._controller.version(number)
            _, rules = await asyncio.to_thread(load_rules, record.text, f"version {number}")
            self._read = (number, rules)
        return self._read[1]


def standings(
    rules: Rules, covered: Sequence[Coverage], today: date, route: str | None = None
) -> list[RuleStanding]:
    """Give every ignore rule, of all routes or of one: ended ones first, then those that end."""
    fired: Mapping[str, Mapping[str, int]] = {each.route: each.fired for each in covered}
    found = [
        RuleStanding(
            each.id,
            rule.path,
            rule.reason,
            rule.owner,
            rule.until,
            rule.standing(today),
            fired.get(each.id, {}).get(f"ignore:{rule.path}", 0),
            fired.get(each.id, {}).get(f"expired:{rule.path}", 0),
        )
        for each in rules.routes
        if route in (None, each.id)
        for rule in each.compare.ignore
    ]
    order = list(Standing)
    return sorted(found, key=lambda each: order.index(each.standing))
