from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.serving.notify import Notifier


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """Give the socket of a service manager, and its address as the manager writes it."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        if request.param == "path":
            address = written = str(tmp_path / "n")
        else:
            sock.bind("")  # the kernel chooses an abstract name
            written = "@" + sock.getsockname()[1:].decode()
            address = ""
        if address:
            sock.bind(address)
        sock.settimeout(10)
        yield sock, written


def test_it_says_where_the_service_stands(manager: tuple[socket.socket, str]) -> None:
    """One datagram for each step."""
    sock, address = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready("serving")
    assert sock.recv(1000) == b"READY=1\nSTATUS=serving"
    notifier.reloading()
    first, second = sock.recv(1000).split(b"\n")
    assert (first, second.partition(b"=")[0]) == (b"RELOADING=1", b"MONOTONIC_USEC")
    notifier.succeeded_by(4711)
    assert sock.recv(1000).startswith(b"MAINPID=4711\n")
    notifier.stopping()
    assert sock.recv(1000).startswith(b"STOPPING=1\n")


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_without_a_listener_nothing_happens(environ: dict[str, str]) -> None:
    """A service manager that is away is no reason to stop serving."""
    Notifier(environ).ready("serving")
