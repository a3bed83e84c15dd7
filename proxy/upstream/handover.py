"""A connection as its protocol gives it up to whoever relays its bytes from then on."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol


class Handover(NamedTuple):
    """A connection and where it stands. Its transport is reading.

    `early` arrived and was not read, `writable` says that it takes more, `ended` that the peer has
    said it sends no more.
    """

    transport: asyncio.Transport
    early: bytes
    writable: bool
    ended: bool


class Giver(Protocol):
    """The protocol of a connection that can be given up."""

    def hand_over(self, to: asyncio.Protocol) -> Handover:
        """Let `to` hear of the connection from now on; `connection_lost` comes back here."""
        ...

    def connection_lost(self, exc: Exception | None) -> None:
        """Hear, at the very end, that the connection is no more."""
        ...
