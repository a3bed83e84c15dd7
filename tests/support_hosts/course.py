"""What happens in which order, by chance alone: the same seed gives the same rounds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.support_hosts.faults import AT_ONCE, FOR_ALL, Fault, Kind
from tests.support_hosts.record import Act

ACTING: Final = "acting"
"""Stands for whichever host acts when the round begins."""

LEASE: Final = 3.0
"""Seconds for which a lease is good."""

LONG: Final = 0.6
"""Share of faults that last longer than a lease."""

ASKED: Final = {Act.SET_WEIGHT: 4, Act.ROLLBACK: 2, Act.RESUME: 2, Act.KILL: 1, Act.UNKILL: 2}
"""What operators ask for, and how often."""

ROUTES: Final = ("orders", "invoices")


@dataclass(frozen=True, slots=True)
class Order:
    """What an operator asks for, so many seconds after the round's beginning, at some host."""

    at: float
    act: Act
    route: str
    weight: int | None
    place: int


@dataclass(frozen=True, slots=True)
class Strike:
    """A fault with its beginning and end, in seconds after the round's beginning."""

    at: float
    until: float
    fault: Fault


@dataclass(frozen=True, slots=True)
class Round:
    """One round: the weight that is set before, what strikes, and what is asked for meanwhile."""

    first: Order
    strikes: tuple[Strike, ...]
    orders: tuple[Order, ...]

    def __str__(self) -> str:
        faults = "; ".join(f"{s.at:.1f}-{s.until:.1f} s {s.fault}" for s in self.strikes)
        return f"{faults}; asked meanwhile: {', '.join(o.act for o in self.orders) or 'nothing'}"


def rounds(seed: int, hosts: tuple[str, ...]) -> Iterator[Round]:
    """Give rounds without end. All kinds of faults come before any comes again."""
    chance = Random(seed)
    bag: list[Kind] = []
    while True:
        strikes: list[Strike] = []
        for _ in range(chance.choice((1, 1, 2))):
            if not bag:
                bag = chance.sample(list(Kind), len(Kind))
            strikes.append(_strike(chance, bag.pop(), hosts))
        long = max(strike.until for strike in strikes)
        yield Round(
            _order(chance, 0.0, Act.SET_WEIGHT),
            tuple(strikes),
            tuple(
                _order(chance, chance.uniform(0.0, long))
                for _ in range(chance.choice((0, 1, 2, 3)))
            ),
        )


def _strike(chance: Random, kind: Kind, hosts: tuple[str, ...]) -> Strike:
    """Strike the acting host more often than not; shorter than its lease, or longer."""
    host = "" if kind in FOR_ALL else chance.choice((ACTING, ACTING, *hosts))
    at = chance.uniform(0.0, 0.5)
    lasting = chance.uniform(0.1, 1.5)
    if chance.random() < LONG and kind not in AT_ONCE:
        lasting += LEASE
    return Strike(at, at + lasting, Fault(kind, host))


def _order(chance: Random, at: float, act: Act | None = None) -> Order:
    act = act or chance.choices(list(ASKED), list(ASKED.values()))[0]
    route = "" if act in (Act.KILL, Act.UNKILL) else chance.choice(ROUTES)
    weight = chance.randrange(0, 101) * 100 if act is Act.SET_WEIGHT else None
    return Order(at, act, route, weight, chance.randrange(1 << 16))
