"""The wire between the controller and its workers: two small interfaces, one word per direction.

Down goes `snapshot`. Up go `hello`, `ack`, `outcomes` and `comparisons`. Nothing here waits: a
message that cannot be taken at once is dropped and the sender is told, because neither routing nor
serving may depend on the other plane's health.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, Protocol

from proxy.errors import CutoverError

log = logging.getLogger(__name__)
P = ParamSpec("P")

UNSENT_MAX = 4 * 1024 * 1024
"""Bytes that may wait towards one peer; beyond that messages are dropped, so memory is bounded."""

Payload = dict[str, Any]
OnMessage = Callable[[str, Payload], None]
OnState = Callable[[bool], None]


class BusError(CutoverError):
    """The bus cannot be opened; the text says who holds it or what is wrong with its place."""


@dataclass(frozen=True, slots=True)
class Peer:
    """Who is at the other end of one connection, by its own word. `id` is unique per connection."""

    id: int
    role: str
    index: int
    pid: int
    generation: int = 1
    """How many programs had the service before the one it belongs to, counted from 1."""
    compiled: bool = False
    """Whether it runs the hot path in compiled form."""
    host: str = ""
    """The proxy host on which it runs; nothing where there is only one."""


OnPeerMessage = Callable[[Peer, str, Payload], None]
OnPeerState = Callable[[Peer, bool], None]


class Bus(Protocol):
    """The controller's end."""

    async def start(self) -> None:
        """Open for peers. Raises BusError when another controller holds the place."""
        ...

    def publish(self, kind: str, payload: Payload) -> None:
        """Send to every peer, and keep as what a newcomer gets first; never waits."""
        ...

    def peers(self) -> tuple[Peer, ...]:
        """Give those connected now that have said hello."""
        ...

    async def close(self) -> None:
        """Let every peer go and free the place."""
        ...


class Uplink(Protocol):
    """A worker's end."""

    async def run(self) -> None:
        """Connect, and reconnect for ever, until cancelled."""
        ...

    def send(self, kind: str, payload: Payload) -> bool:
        """Hand one message over without waiting; False when it was dropped."""
        ...


def deliver(receiver: Callable[P, None], *arguments: P.args, **named: P.kwargs) -> None:
    """Call a receiver; what it raises is logged and ends no connection."""
    try:
        receiver(*arguments, **named)
    except Exception:
        log.exception("a message on the bus could not be handled")
