"""What was decided, as marks on a chart: steps, rollbacks, releases, other rules."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from proxy.admin.plain import instant
from proxy.control.status import DecisionRecord

KINDS: Final = {
    "set_weight": "step",
    "advance": "step",
    "resume": "step",
    "unkill": "step",
    "rollback": "rollback",
    "freeze": "rollback",
    "kill": "rollback",
    "halt_writes": "rollback",
    "deployed": "deploy",
    "load": "rules",
    "import": "rules",
    "revert": "rules",
    "compare": "rules",
    "ignore": "rules",
}
"""By action. What changes nothing that can be seen in a chart has none."""

_WORDS: Final = {
    "resume": "resumed",
    "rollback": "rolled back",
    "freeze": "frozen",
    "kill": "kill switch on",
    "unkill": "kill switch off",
    "halt_writes": "writes halted",
    "deployed": "release of modern",
}


@dataclass(frozen=True, slots=True)
class Mark:
    """A moment to be marked: `kind` is step, rollback, deploy or rules; `label` is short."""

    at: float
    kind: str
    label: str
    decision: int

    def to_plain(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "at": instant(self.at),
            "kind": self.kind,
            "label": self.label,
            "decision": self.decision,
        }


def marks_of(decisions: Iterable[DecisionRecord], since: float) -> tuple[Mark, ...]:
    """Mark what happened since then, oldest first."""
    found = [
        Mark(each.at, KINDS[each.action], _label(each), each.id)
        for each in decisions
        if each.at >= since and each.action in KINDS
    ]
    return tuple(sorted(found, key=lambda mark: (mark.at, mark.decision)))


def _label(decision: DecisionRecord) -> str:
    weight = decision.evidence.get("weight")
    to = f"{weight / 100:g}%" if isinstance(weight, int) else ""
    if decision.action in ("set_weight", "advance"):
        return to or "another weight"
    if KINDS[decision.action] == "rules":
        return f"rules {decision.version}"
    words = _WORDS[decision.action]
    return f"{words} at {to}" if decision.action == "resume" and to else words
