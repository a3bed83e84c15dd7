"""What hosts and servers are connected by, and how that fails: one interface, two of a kind.

A cut is silence, as with a dead switch or a lost route: nobody gets what is sent. Nothing is
refused and no connection ends; who waits for an answer has to notice by himself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

from tests.support_hosts.relays import Relays
from tests.support_hosts.switch import Switch, can_be_switched

T = TypeVar("T")


class Place(Protocol):
    """Where a host or a server is."""

    @property
    def enter(self) -> tuple[str, ...]:
        """What to put before a command that is to run there."""
        ...

    def do(self, job: Callable[[], T]) -> T:
        """Do something there, and wait."""
        ...

    async def doing(self, job: Callable[[], T]) -> T:
        """Do something there, in a thread, without blocking the event loop."""
        ...

    def socket(self) -> socket.socket:
        """Give a TCP socket of that place, which does not block."""
        ...


class Lan(Protocol):
    """Places by name. `cut` and its like say who no longer hears whom."""

    def place(self, name: str) -> Place:
        """Give a place."""
        ...

    def address(self, name: str) -> str:
        """Give the address on which servers of a place listen for others."""
        ...

    def way(self, host: str, server: str, port: int) -> tuple[str, int]:
        """Give the address and port by which a host reaches a port of a server."""
        ...

    def cut(self, host: str, server: str) -> None:
        """Let nothing through between a host and a server, in either direction."""
        ...

    def deafen(self, host: str, server: str) -> None:
        """Let nothing through from the server to the host; what the host says still arrives."""
        ...

    def heal(self, host: str, server: str) -> None:
        """Let everything through again."""
        ...

    def unplug(self, host: str) -> None:
        """Pull the host's only cable."""
        ...

    def plug_in(self, host: str) -> None:
        """Put it back."""
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def make_lan(hosts: Iterable[str], servers: Iterable[str]) -> Lan:
    """Give network namespaces on a switch where the kernel allows it, and relays elsewhere.

    In most containers it does not: then the same is tried, and relays play the silence.
    `LAN=relays` asks for them anyway.
    """
    wanted = os.environ.get("LAN", "switch") == "switch" and can_be_switched()
    return Switch(hosts, servers) if wanted else Relays(hosts, servers)
