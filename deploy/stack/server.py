"""The shape that all servers of the stack share; one sibling file per server."""

from __future__ import annotations

import socket
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from deploy.stack.ports import HOST, require_free
from deploy.stack.process import Command, Process


class Server(ABC):
    """A server of the stack: it knows its command, its port, and when it is ready."""

    name: str
    start_deadline = 30.0
    stop_grace = 10.0

    def __init__(self, run_dir: Path, port: int | None, *, tied: bool = False) -> None:
        """Keep its data below run_dir and listen on the port (None: it listens nowhere)."""
        self.host = HOST
        self._port = port
        self.folder = run_dir / self.name
        self.process = Process(self.name, run_dir, tied=tied)
        self.extra_env: Mapping[str, str] = {}

    @property
    def port(self) -> int:
        """The port it listens on; raises LookupError for a server that listens nowhere."""
        if self._port is None:
            raise LookupError(f"{self.name} listens nowhere")
        return self._port

    @property
    def address(self) -> str:
        """Where it is reached, for people; empty for a server that listens nowhere."""
        return "" if self._port is None else f"{self.host}:{self._port}"

    def prepare(self) -> None:
        """Make what must exist before the first start; does nothing when it is there."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @abstractmethod
    def command(self) -> Command:
        """Return how it is started."""

    @abstractmethod
    def ready(self) -> bool:
        """Say whether it answers; may raise OSError for a plain no."""

    def required_ports(self) -> Mapping[str, int]:
        """Return the ports it binds, by the name that people choose them with."""
        return {} if self._port is None else {self.name: self._port}

    def running(self) -> bool:
        """Say whether its process lives."""
        return self.process.pid is not None

    def launch(self) -> None:
        """Start it without waiting; raises PortBusyError when somebody has its port."""
        for name, port in self.required_ports().items():
            require_free(name, port)
        self.process.launch(self._command())

    def outdated(self) -> bool:
        """Say whether it runs, but was started by another command than it would be now."""
        return self.running() and not self.process.runs(self._command())

    def settle(self) -> None:
        """Wait until it is ready; raises StartError with the end of its log."""
        self.process.wait_ready(self.ready, self.start_deadline)

    def start(self) -> None:
        """Prepare, launch and wait; does nothing when it already runs."""
        if not self.running():
            self.prepare()
            self.launch()
        self.settle()

    def stop(self) -> None:
        """Let it end in good order."""
        self.process.stop(self.stop_grace)

    def kill(self) -> None:
        """End it as a crash would."""
        self.process.kill()

    def _command(self) -> Command:
        command = self.command()
        return replace(command, env={**command.env, **self.extra_env})


def http_status(port: int, path: str, timeout: float = 2) -> int | None:
    """Return the status of a GET on the loopback address, or None when nobody answers HTTP."""
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def accepts(port: int, timeout: float = 2) -> bool:
    """Say whether somebody accepts connections there; raises OSError for a plain no."""
    with socket.create_connection((HOST, port), timeout=timeout):
        return True


def first_bytes(port: int, send: bytes = b"", timeout: float = 2) -> bytes:
    """Return the first bytes a server says after what we sent; raises OSError when it is away."""
    with socket.create_connection((HOST, port), timeout=timeout) as connection:
        connection.sendall(send)
        return connection.recv(64)
