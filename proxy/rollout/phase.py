"""Where a route stands, and the table of moves between the places.

A phase is never stored: it follows from the rules in force and from what is rolled back, so that it
cannot disagree with them. The table says which moves exist, and by what cause:

- RULES: an edit of the file, a weight set by an operator or by a step;
- ROLLBACK: a detector or an operator takes the route back;
- ADVANCE: a step of a plan, taken by the plan itself or by an operator;
- RESUME: an operator puts a rolled back route in force again, or its plan, if allowed to.

What matters is what the table lacks: neither an edit of the rules nor a step of a plan leads out of
ROLLED_BACK, and no step leads back.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from proxy.routing.rules import WEIGHT_MAX


class Phase(StrEnum):
    """Where a route stands."""

    LEGACY = "LEGACY"  # weight 0, nothing mirrored
    SHADOW = "SHADOW"  # weight 0, mirrored and compared
    CANARY = "CANARY"  # both sides serve
    MODERN = "MODERN"  # weight 100
    ROLLED_BACK = "ROLLED_BACK"  # held at 0 until resumed


class Cause(StrEnum):
    """By what a route moves."""

    RULES = "rules"
    ADVANCE = "advance"
    ROLLBACK = "rollback"
    RESUME = "resume"


_IN_FORCE = frozenset({Phase.LEGACY, Phase.SHADOW, Phase.CANARY, Phase.MODERN})
_TAKEN_BACK = frozenset({Phase.ROLLED_BACK})
_SERVING = frozenset({Phase.CANARY, Phase.MODERN})


def _in_force(*onward: Phase) -> Mapping[Cause, frozenset[Phase]]:
    """Give the moves of a phase in which the rules decide, and where a step of a plan leads."""
    return {
        Cause.RULES: _IN_FORCE,
        Cause.ADVANCE: frozenset(onward),
        Cause.ROLLBACK: _TAKEN_BACK,
    }


TRANSITIONS: Mapping[Phase, Mapping[Cause, frozenset[Phase]]] = {
    Phase.LEGACY: _in_force(Phase.LEGACY, *_SERVING),
    Phase.SHADOW: _in_force(Phase.SHADOW, *_SERVING),
    Phase.CANARY: _in_force(*_SERVING),
    Phase.MODERN: _in_force(Phase.MODERN),
    Phase.ROLLED_BACK: {Cause.RESUME: _IN_FORCE},
}


def phase_of(weight: int, mirror_share: float, *, rolled_back: bool) -> Phase:
    """Say where a route stands; `weight` in hundredths of a percent, as written in the rules."""
    if rolled_back:
        return Phase.ROLLED_BACK
    if weight >= WEIGHT_MAX:
        return Phase.MODERN
    if weight > 0:
        return Phase.CANARY
    return Phase.SHADOW if mirror_share > 0 else Phase.LEGACY


def may_move(phase: Phase, cause: Cause) -> bool:
    """Whether this cause leads anywhere from this phase."""
    return cause in TRANSITIONS[phase]


def table_text() -> str:
    """Print the table, one line for each move, for the documentation."""
    lines = [
        f"{phase:<12} {cause:<9} -> {', '.join(sorted(targets))}"
        for phase, causes in TRANSITIONS.items()
        for cause, targets in causes.items()
    ]
    return "\n".join(lines)
