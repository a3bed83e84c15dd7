"""What was seen of several hosts, what they have promised, and what was done to them.

Moments are wall-clock seconds of the one machine that plays all of them. Weights are hundredths of
a percent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Act(StrEnum):
    """What an operator asks for."""

    SET_WEIGHT = "set_weight"
    ROLLBACK = "rollback"
    RESUME = "resume"
    KILL = "kill"
    UNKILL = "unkill"


@dataclass(frozen=True, slots=True)
class Routing:
    """Who is to be served by whom."""

    weights: Mapping[str, int]
    rolled_back: frozenset[str] = frozenset()
    killed: bool = False

    def in_force(self, route: str) -> int:
        """Give the weight in force."""
        return 0 if self.killed or route in self.rolled_back else self.weights[route]


@dataclass(frozen=True, slots=True)
class Command:
    """One thing that an operator has asked for, by a reason that nobody else gives.

    `weight` is for SET_WEIGHT; a RESUME without one takes up the configured one.
    """

    reason: str
    act: Act
    route: str = ""
    weight: int | None = None

    def upon(self, before: Routing) -> Routing:
        """Give what it makes of a routing."""
        weights, rolled_back, killed = dict(before.weights), before.rolled_back, before.killed
        if self.weight is not None:
            weights[self.route] = self.weight
        match self.act:
            case Act.ROLLBACK:
                rolled_back |= {self.route}
            case Act.RESUME:
                rolled_back -= {self.route}
            case Act.KILL | Act.UNKILL:
                killed = self.act is Act.KILL
            case Act.SET_WEIGHT:
                pass
        return Routing(weights, rolled_back, killed)

    def holds(self, routing: Routing) -> bool:
        """Say whether a routing is as asked for."""
        return self.upon(routing) == routing


@dataclass(frozen=True, slots=True)
class Published:
    """One version as the store has it. `writer` and `token` are of the lease it was written by."""

    number: int
    parent: int
    author: str
    reason: str
    routing: Routing
    token: int = 0
    writer: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as a worker served it; `turn` counts those of one host, in order.

    There is no bucket where none was asked for, because nobody goes to modern, or everybody.
    """

    at: float
    host: str
    worker: int
    turn: int
    version: int
    route: str
    bucket: int | None
    decided: str


@dataclass(frozen=True, slots=True)
class Promise:
    """A command that was acknowledged, under the number of a version."""

    command: Command
    sent: float
    acknowledged: float
    version: int
    host: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """A request that a client has not been served well."""

    began: float
    ended: float
    host: str
    what: str


@dataclass(frozen=True, slots=True)
class Excuse:
    """A time in which clients of a host may be hurt: it is down, or cut off from applications."""

    host: str
    since: float
    until: float
    why: str


@dataclass(slots=True)
class Record:
    """Everything of one run."""

    published: list[Published] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    commands: list[Command] = field(default_factory=list)
    promises: list[Promise] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    excuses: list[Excuse] = field(default_factory=list)

    def begin_round(self) -> None:
        """Forget what later rounds are not compared with: the last of every worker is kept."""
        last = {(seen.host, seen.worker): seen for seen in self.seen}
        self.seen = list(last.values())
        self.failures.clear()
        self.excuses.clear()
