"""What an exchange needs of the client's connection."""

from __future__ import annotations

import asyncio
from typing import Protocol

from proxy.upstream.handover import Handover
from proxy.wire.forwarding import Peer
from proxy.wire.parser import RequestEvent


class Client(Protocol):
    """The client's side of one exchange. `deadline` is on the plane's clock, in seconds."""

    deadline: float
    peer: Peer
    writable: bool

    def read_body(self) -> RequestEvent | None:
        """Give more of the request's body; raises RequestError."""
        ...

    def write(self, data: bytes) -> None:
        """Send to the client."""
        ...

    def pause_reading(self) -> None:
        """Let the client wait with the rest of its request."""
        ...

    def resume_reading(self) -> None:
        """Go on reading."""
        ...

    def done(self, close: bool) -> None:
        """End the exchange and go on to the next request, or close."""
        ...

    def hand_over(self, to: asyncio.Protocol) -> Handover:
        """Let `to` hear of the connection from now on: it is a tunnel."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear that the connection is no more."""
        ...

    def reset(self) -> None:
        """Cut the client off: a complete end is never invented."""
        ...
