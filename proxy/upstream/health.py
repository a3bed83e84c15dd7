"""Whether an instance is well, by the answers to its probes: a change takes several in a row.

- FALL: as many bad answers in a row as the rules ask for;
- RISE: as many good ones.

One lost probe is no illness, and one good answer of an application that is just starting no health.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from proxy.routing.upstream_rules import ProbeRules


class Health(StrEnum):
    """What the probes say."""

    UP = "UP"
    DOWN = "DOWN"


class Cause(StrEnum):
    """By what it changes."""

    FALL = "fall"
    RISE = "rise"


TRANSITIONS: Mapping[Health, Mapping[Cause, Health]] = {
    Health.UP: {Cause.FALL: Health.DOWN},
    Health.DOWN: {Cause.RISE: Health.UP},
}
_GOOD: Final = range(200, 400)


def table_text() -> str:
    """Print the table, one line for each move, for the documentation."""
    return "\n".join(
        f"{health:<5} {cause:<5} -> {after}"
        for health, causes in TRANSITIONS.items()
        for cause, after in causes.items()
    )


def is_good(status: int, rules: ProbeRules) -> bool:
    """Whether a probe that was answered with this status speaks for the instance."""
    return status in (rules.statuses or _GOOD)


class Probed:
    """What the probes of one instance have said; it is taken for well until they say otherwise."""

    __slots__ = ("_against", "health")

    def __init__(self) -> None:
        self.health = Health.UP
        self._against = 0

    @property
    def is_up(self) -> bool:
        """Whether it takes part."""
        return self.health is Health.UP

    def take(self, rules: ProbeRules, *, good: bool) -> bool:
        """Count one answer; says whether it has changed the health."""
        if good is self.is_up:
            self._against = 0
            return False
        self._against += 1
        cause, needed = (Cause.RISE, rules.rise) if good else (Cause.FALL, rules.fall)
        if self._against < needed:
            return False
        self._against = 0
        self.health = TRANSITIONS[self.health][cause]
        return True
