from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.load.idle import connect, is_closed

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


@contextmanager
def server(answer: bytes, count: int, keep: bool) -> Iterator[int]:
    """Answer one request on each of so many connections; keep them open, or not."""
    listener = socket.create_server(("127.0.0.1", 0))
    held: list[socket.socket] = []

    def serve() -> None:
        for _ in range(count):
            sock, _ = listener.accept()
            sock.recv(4096)
            sock.sendall(answer)
            held.append(sock)
            if not keep:
                sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(10)
    for sock in (*held, listener):
        sock.close()


def test_connections_that_are_kept_are_idle() -> None:
    """Each has asked once, and none is lost."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", 3, keep=True) as port:
        held = connect(port, [REQUEST], 3)
        assert [is_closed(sock) for sock in held] == [False] * 3
        for sock in held:
            sock.close()


def test_connections_that_were_closed_meanwhile_are_seen() -> None:
    """They would make a product look as if it needed no memory."""
    with server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 2, keep=False) as port:
        held = connect(port, [REQUEST], 2)
    assert [is_closed(sock) for sock in held] == [True, True]
    for sock in held:
        sock.close()


def test_an_answer_that_is_no_success_ends_it() -> None:
    """A product that refuses keeps nothing, either."""
    with (
        server(b"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", 1, keep=False) as port,
        pytest.raises(ConnectionError, match="503"),
    ):
        connect(port, [REQUEST], 1)
