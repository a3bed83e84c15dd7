"""Which port each server listens on, and who holds a port that should be free."""

from __future__ import annotations

import json
import random
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path

from deploy.stack.errors import PortBusyError, StackError

HOST = "127.0.0.1"
_LISTEN = "0A"
# Below the range from which the kernel takes ports for outgoing connections (32768 and up): a
# port found free there can be gone by the time the server binds it.
_FREE_RANGE = range(20000, 32000)


@dataclass(frozen=True)
class Ports:
    """One port for every server, all on the loopback address."""

    proxy: int = 8080
    console: int = 8090
    legacy: int = 8081
    modern: int = 8082
    mariadb: int = 13306
    postgres: int = 15432
    redis: int = 16379
    processor: int = 18084
    mail: int = 18025

    @classmethod
    def free(cls) -> Ports:
        """Return ports that nobody listens on, for a stack beside others."""
        names = [field.name for field in fields(cls)]
        return cls(**dict(zip(names, free_ports(len(names)), strict=True)))

    def overridden(self, environ: Mapping[str, str]) -> Ports:
        """Return these ports with those that CUTOVER_PORT_NAME variables choose."""
        chosen = {
            field.name: _port_number(variable(field.name), environ[variable(field.name)])
            for field in fields(self)
            if variable(field.name) in environ
        }
        return replace(self, **chosen)

    def save(self, path: Path) -> None:
        """Write the ports down, so that status and stop find the stack that was started."""
        path.write_text(json.dumps(asdict(self)) + "\n")

    @classmethod
    def load(cls, path: Path) -> Ports:
        """Return the ports written down by the last start, or the standard ones."""
        if not path.exists():
            return cls()
        known = {field.name for field in fields(cls)}
        saved = json.loads(path.read_text())
        return cls(**{name: port for name, port in saved.items() if name in known})


def variable(name: str) -> str:
    """Return the environment variable that chooses the port of a server."""
    return f"CUTOVER_PORT_{name.upper()}"


def free_ports(count: int) -> list[int]:
    """Return distinct ports that can be bound on the loopback address right now."""
    found: list[int] = []
    candidates = random.SystemRandom().sample(_FREE_RANGE, len(_FREE_RANGE))
    for port in candidates:
        if len(found) == count:
            return found
        if is_free(port):
            found.append(port)
    raise StackError(f"no {count} free ports between {_FREE_RANGE.start} and {_FREE_RANGE.stop}")


def is_free(port: int) -> bool:
    """Say whether a server could bind the port on the loopback address."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier run in TIME_WAIT do not count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def require_free(name: str, port: int) -> None:
    """Raise PortBusyError, naming the holder, when the port cannot be bound."""
    if not is_free(port):
        raise PortBusyError(name, port, holder(port), variable(name))


def holder(port: int) -> str:
    """Return who listens on the port, as far as this user may see: `nginx (pid 812)`."""
    inodes = _listening_inodes(port)
    for process in Path("/proc").glob("[0-9]*"):
        if inodes & _socket_inodes(process):
            return f"{_command_name(process)} (pid {process.name})"
    return "a program of another user"


def _port_number(name: str, text: str) -> int:
    if not (text.isascii() and text.isdigit()) or not 0 < int(text) < 65536:
        raise StackError(f"{name}={text!r} is not a port; give a number from 1 to 65535")
    return int(text)


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in (Path("/proc/net/tcp"), Path("/proc/net/tcp6")):
        rows = table.read_text().splitlines()[1:] if table.exists() else []
        for row in map(str.split, rows):
            if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port:
                found.add(row[9])
    return found


def _socket_inodes(process: Path) -> set[str]:
    found: set[str] = set()
    try:
        for descriptor in (process / "fd").iterdir():
            target = str(descriptor.readlink())
            if target.startswith("socket:["):
                found.add(target[len("socket:[") : -1])
    except OSError:
        pass  # the process ended meanwhile, or belongs to another user
    return found


def _command_name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a program"
