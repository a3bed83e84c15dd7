"""Listening sockets: one for each worker on the same port, the kernel spreads the connections."""

from __future__ import annotations

import errno
import socket
from typing import Final

from proxy.errors import SettingsError

BACKLOG: Final = 4096


def listeners(address: tuple[str, int], count: int) -> list[socket.socket]:
    """Open `count` sockets on one address (SO_REUSEPORT).

    Raises SettingsError when the address cannot be used. The port is claimed exclusively first:
    with SO_REUSEPORT alone a second proxy on it would silently take half of the traffic.
    """
    host, port = address
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        if port:
            _claim(family, host, port)
        first = _listen(family, host, port)
        port = first.getsockname()[1]
        return [first, *(_listen(family, host, port) for _ in range(count - 1))]
    except OSError as error:
        hint = ""
        if error.errno == errno.EADDRINUSE:
            hint = "; another process has it: stop that one, or choose another with --listen"
        raise SettingsError(f"cannot listen on {host}:{port}: {error.strerror}{hint}") from error


def _claim(family: socket.AddressFamily, host: str, port: int) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))


def _listen(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    sock.bind((host, port))
    sock.listen(BACKLOG)
    sock.setblocking(False)
    return sock
