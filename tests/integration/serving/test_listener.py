from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from proxy.errors import SettingsError
from proxy.serving.listener import dealt, listeners

Open = Callable[..., list[socket.socket]]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Give `listeners`; what it opens is closed afterwards."""
    kept: list[socket.socket] = []

    def opening(host: str = "127.0.0.1", port: int = 0, count: int = 1) -> list[socket.socket]:
        found = listeners((host, port), count)
        kept.extend(found)
        return found

    yield opening
    for sock in kept:
        sock.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_workers_share_one_port(opened: Open, host: str) -> None:
    """Each has a socket of its own; a free port is chosen once for all."""
    found = opened(host, 0, 3)
    ports = {sock.getsockname()[1] for sock in found}
    assert (len(found), len(ports)) == (3, 1)
    with socket.create_connection((host, ports.pop()), timeout=5):
        pass


@pytest.mark.parametrize("held_by", ["another proxy", "another program"])
def test_a_port_that_is_taken_is_refused(opened: Open, held_by: str) -> None:
    """A second proxy on it would silently take half of the traffic."""
    if held_by == "another proxy":
        port = opened()[0].getsockname()[1]
    else:
        other = socket.create_server(("127.0.0.1", 0))
        port = other.getsockname()[1]
    with pytest.raises(SettingsError, match=rf"cannot listen on 127\.0\.0\.1:{port}: address al"):
        opened(port=port)
    if held_by == "another program":
        other.close()


def test_a_port_is_free_again_at_once(opened: Open) -> None:
    """A restart does not wait for old connections to be forgotten."""
    (first,) = opened()
    port = first.getsockname()[1]
    client = socket.create_connection(("127.0.0.1", port), timeout=5)
    first.setblocking(True)
    served, _ = first.accept()
    served.close()  # the side that closes first keeps the port in TIME_WAIT
    client.close()
    first.close()
    assert opened(port=port)[0].getsockname()[1] == port


@pytest.mark.parametrize(
    ("host", "words"),
    [
        ("192.0.2.1", "annot assign requested address"),
        ("no-such-host.invalid", "cannot listen on no-such-host.invalid:0: "),
        ("a" * 64, "that is not the name of a host"),
        ("x..y", "that is not the name of a host"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(opened: Open, host: str, words: str) -> None:
    """With the reason, as a mistake of whoever configures."""
    with pytest.raises(SettingsError, match=words):
        opened(host)


@pytest.mark.parametrize(("before", "workers"), [(2, 2), (1, 3), (3, 2)])
def test_a_successor_serves_every_inherited_socket(opened: Open, before: int, workers: int) -> None:
    """More workers get sockets beside them, fewer look at several: none is left to nobody."""
    inherited = opened(count=before)
    host, port = inherited[0].getsockname()
    found = listeners((host, port), workers, inherited)
    try:
        assert found[:before] == inherited
        assert {sock.getsockname()[1] for sock in found} == {port}
        hands = dealt(found, workers)
        assert len(hands) == workers
        assert all(hands)
        assert {sock for hand in hands for sock in hand} == set(found)
    finally:
        for sock in found[before:]:
            sock.close()


def test_a_socket_beside_inherited_ones_takes_nobody_before_its_worker_is_there(
    opened: Open,
) -> None:
    """Who was sent there would wait, and be reset if the upgrade failed."""
    inherited = opened(count=1)
    found = listeners(inherited[0].getsockname(), 2, inherited)
    try:
        assert not found[1].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
        assert found[0].getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    finally:
        found[1].close()
