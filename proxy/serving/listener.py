"""Listening sockets: one for each worker on the same port, the kernel spreads the connections."""

from __future__ import annotations

import contextlib
import errno
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from proxy.errors import SettingsError

BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True)
class Listener:
    """One listening socket of one worker, and what comes before HTTP on it."""

    sock: socket.socket
    tls: bool = False
    proxy: bool = False


def listeners(
    address: tuple[str, int], count: int, inherited: Sequence[socket.socket] = ()
) -> list[socket.socket]:
    """Open `count` sockets on one address (SO_REUSEPORT), or as many as `inherited` lacks.

    Raises SettingsError when the address cannot be used. The port is claimed exclusively first:
    with SO_REUSEPORT alone a second proxy on it would silently take half of the traffic. All that
    were inherited are given back, also when there are more: the kernel goes on to put connections
    into their queues, and closing one would reset those that wait there. A new one beside them
    does not listen yet, so that nobody is sent there before its worker is there to accept.
    """
    host, port = address
    with contextlib.ExitStack() as opened:
        try:
            family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
            if port and not inherited:
                _claim(family, host, port)
            found = list(inherited)
            for _ in range(count - len(inherited)):
                port = found[0].getsockname()[1] if found else port
                found.append(opened.enter_context(_bound(family, host, port)))
                if not inherited:
                    found[-1].listen(BACKLOG)
        except (OSError, UnicodeError) as error:
            raise SettingsError(f"cannot listen on {host}:{port}: {_reason(error)}") from error
        opened.pop_all()  # they stay open for as long as the process lives
    return found


def dealt(sockets: Sequence[socket.socket], workers: int) -> list[list[socket.socket]]:
    """Deal sockets out to workers, so that each is looked at; gives one list for each worker."""
    return [list(sockets[index::workers]) for index in range(workers)]


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, UnicodeError):
        return "that is not the name of a host"
    if error.errno == errno.EADDRINUSE:
        hint = "another process has it: stop that one, or choose another with --listen"
        return f"address already in use; {hint}"
    return error.strerror or str(error)


def _claim(family: socket.AddressFamily, host: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    with contextlib.ExitStack() as opened:
        opened.enter_context(sock)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((host, port))
        sock.setblocking(False)
        opened.pop_all()
    return sock
