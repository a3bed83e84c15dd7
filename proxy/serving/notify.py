"""Telling systemd where the service stands (sd_notify(3)): one datagram, or nothing at all."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Mapping

VARIABLE = "NOTIFY_SOCKET"


class Notifier:
    """Says it to whoever asked to be told; without `NOTIFY_SOCKET` nobody did."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        address = environ.get(VARIABLE, "")
        # "@" stands for the zero byte with which an abstract address begins.
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def ready(self, status: str) -> None:
        """Everything is up; it ends a reload as well."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """A reload has begun; `ready` ends it."""
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self._tell("RELOADING=1", f"MONOTONIC_USEC={now}")

    def stopping(self) -> None:
        """The end has begun."""
        self._tell("STOPPING=1", "STATUS=draining")

    def succeeded_by(self, pid: int) -> None:
        """Another process is the service from now on; only the old one may say so."""
        self._tell(f"MAINPID={pid}", "READY=1", f"STATUS=handed over to pid {pid}")

    def _tell(self, *words: str) -> None:
        if not self._address:
            return
        # A manager that is away, or a full queue, must not hold up the service.
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock,
        ):
            sock.setblocking(False)
            sock.sendto("\n".join(words).encode(), self._address)
