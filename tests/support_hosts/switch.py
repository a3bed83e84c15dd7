"""Rooms on one switch, each with an address.

A cut is a wrong entry in a table of neighbours, which needs no module of the kernel: packets go to
a hardware address that nothing has.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import BrokenExecutor
from functools import cache
from typing import Final

from deploy.stack.errors import StackError
from tests.support_hosts.rooms import Room

_NOBODY: Final = "02:00:00:00:de:ad"


class Switch:
    """A room for each host and server, and one for the switch, which is a bridge."""

    def __init__(self, hosts: Iterable[str], servers: Iterable[str]) -> None:
        self._switch = Room("switch")
        self._switch.ip("link add lan type bridge", "link set lan up")
        self._numbers = {name: number for number, name in enumerate((*hosts, *servers), 1)}
        self._rooms = {name: self._room(name) for name in self._numbers}

    def place(self, name: str) -> Room:
        """Give a room."""
        return self._rooms[name]

    def address(self, name: str) -> str:
        """Give the address of a room."""
        return f"10.77.0.{self._numbers[name]}"

    def way(self, host: str, server: str, port: int) -> tuple[str, int]:  # noqa: ARG002 - the same for all hosts
        """Give the address and port by which a host reaches a port of a server: its own."""
        return self.address(server), port

    def cut(self, host: str, server: str) -> None:
        """Let nothing through between the two, in either direction."""
        self._mislead(host, server)
        self._mislead(server, host)

    def deafen(self, host: str, server: str) -> None:
        """Let nothing through from the server to the host."""
        self._mislead(server, host)

    def heal(self, host: str, server: str) -> None:
        """Let everything through again."""
        for here, there in ((host, server), (server, host)):
            self._point(here, there, self._hardware(there), "reachable")

    def unplug(self, host: str) -> None:
        """Pull the plug on the switch."""
        self._switch.ip(f"link set {host} down")

    def plug_in(self, host: str) -> None:
        """Put it back."""
        self._switch.ip(f"link set {host} up")

    def close(self) -> None:
        """Let go of all rooms."""
        for room in (*self._rooms.values(), self._switch):
            room.close()

    def _room(self, name: str) -> Room:
        room = Room(name)
        hardware = self._hardware(name)
        room.ip(f"link add lan address {hardware} type veth peer name {name}")
        room.ip(f"link set {name} netns {self._switch.path}")
        self._switch.ip(f"link set {name} master lan", f"link set {name} up")
        room.ip(f"address add {self.address(name)}/24 dev lan", "link set lan up")
        return room

    def _mislead(self, here: str, there: str) -> None:
        self._point(here, there, _NOBODY, "permanent")

    def _point(self, here: str, there: str, hardware: str, state: str) -> None:
        entry = f"neigh replace {self.address(there)} lladdr {hardware} nud {state} dev lan"
        self._rooms[here].ip(entry)

    def _hardware(self, name: str) -> str:
        return f"02:00:00:00:77:{self._numbers[name]:02x}"


@cache
def can_be_switched() -> bool:
    """Say whether this process may make namespaces, wires and a bridge, and has the tool for it."""
    try:
        Switch(("host",), ("server",)).close()
    except (OSError, StackError, BrokenExecutor):
        return False
    return True
