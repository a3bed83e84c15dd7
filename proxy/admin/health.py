"""How the installation itself is: what workers hold, what was dropped and why, what waits."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from proxy.observe.metrics import EVENTS, Reading

BREAKERS: Final = {0: "closed", 1: "half_open", 2: "open"}
"""By the number that metrics give."""


@dataclass(frozen=True, slots=True)
class Instance:
    """One instance of a side, as one worker sees it."""

    worker: str
    side: str
    address: str
    takes_part: bool
    in_flight: int


@dataclass(frozen=True, slots=True)
class Pool:
    """The connections of one worker to one side, by state, and where its breaker stands."""

    worker: str
    side: str
    connections: dict[str, int]
    breaker: str


@dataclass(frozen=True, slots=True)
class Health:
    """Everything of it; counts are since the controller started."""

    pools: tuple[Pool, ...]
    instances: tuple[Instance, ...]
    captures_sent: int
    dropped: dict[str, int]
    stream: dict[str, int]
    events: tuple[tuple[str, str, int], ...]

    def to_plain(self) -> dict[str, Any]:
        """As the API gives it."""
        return {
            "pools": [
                {
                    "worker": each.worker,
                    "side": each.side,
                    "connections": each.connections,
                    "breaker": each.breaker,
                }
                for each in self.pools
            ],
            "instances": [
                {
                    "worker": each.worker,
                    "side": each.side,
                    "address": each.address,
                    "takes_part": each.takes_part,
                    "in_flight": each.in_flight,
                }
                for each in self.instances
            ],
            "captures_sent": self.captures_sent,
            "dropped": self.dropped,
            "stream": self.stream,
            "events": [
                {"name": name, "label": label, "count": count} for name, label, count in self.events
            ],
        }


def health(reading: Reading) -> Health:
    """Put together what metrics know."""
    states: dict[tuple[str, str], dict[str, int]] = {}
    for (worker, side, state), count in sorted(reading.pools.items()):
        states.setdefault((worker, side), {})[state] = count
    dropped: Counter[str] = Counter()
    for route in reading.routes:
        dropped.update(route.dropped)
    return Health(
        pools=tuple(
            Pool(worker, side, found, BREAKERS.get(reading.breakers.get((worker, side), 0), "open"))
            for (worker, side), found in states.items()
        ),
        instances=tuple(
            Instance(worker, side, address, bool(takes_part), in_flight)
            for (worker, side, address), (takes_part, in_flight) in sorted(
                reading.instances.items()
            )
        ),
        captures_sent=reading.captures_sent,
        dropped=dict(dropped.most_common()),
        stream=dict(reading.stream),
        events=tuple(
            (name, label, count)
            for (name, label), count in sorted(reading.events.items())
            if name in EVENTS and count
        ),
    )
