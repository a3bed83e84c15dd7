"""What is listened on: opened before the first fork, so that a busy port is told at once.

A successor takes over what it is handed, and opens the rest.
"""

from __future__ import annotations

import socket
from dataclasses import replace

from proxy.bootstrap.logs import log
from proxy.errors import SettingsError
from proxy.serving.estate import Estate
from proxy.serving.inheritance import Inheritance
from proxy.serving.listener import Listener, dealt, listeners
from proxy.settings import ServeSettings, format_address


def worker_listeners(
    settings: ServeSettings, estate: Estate, inherited: Inheritance | None
) -> list[list[Listener]]:
    """Open every listener, or take it over; gives what each worker listens on."""
    hands: list[list[Listener]] = [[] for _ in range(settings.workers)]
    for place, listen in enumerate(settings.listen):
        name = f"listen {format_address(listen.address)}"
        if not listen.address[1]:  # there may be several whose port the system chooses
            name += f" ({place})"
        given = inherited.take(name) if inherited is not None else []
        found = estate.sockets[name] = listeners(listen.address, settings.workers, given)
        for hand, sockets in zip(hands, dealt(found, settings.workers), strict=True):
            hand += [Listener(sock, listen.tls, listen.proxy) for sock in sockets]
        at = replace(listen, address=found[0].getsockname()[:2])
        log.info("serving %s with %d workers", at, settings.workers)
    return hands


def admin_sockets(
    settings: ServeSettings, estate: Estate, inherited: Inheritance | None
) -> list[socket.socket]:
    """Open where console and API are, or take it over; raises SettingsError."""
    name = f"admin {format_address(settings.admin_listen)}"
    found = inherited.take(name) if inherited is not None else []
    estate.sockets[name] = found = found or [_admin_socket(settings)]
    log.info("console and API on http://%s", format_address(found[0].getsockname()[:2]))
    return found


def _admin_socket(settings: ServeSettings) -> socket.socket:
    host, port = settings.admin_listen
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot listen on {format_address((host, port))}: {error.strerror};"
            " choose another address with --admin-listen"
        ) from error
