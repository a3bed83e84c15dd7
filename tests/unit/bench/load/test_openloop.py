from __future__ import annotations

import socket
import threading
import time
from itertools import pairwise

import pytest

from bench.load.openloop import Generator, arrivals

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
REFUSAL = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"


def test_arrivals_come_at_the_rate_asked_for() -> None:
    """As of a Poisson process: the number is near the mean, the gaps are not all alike."""
    due = arrivals(1000, 10, seed=1)
    assert due == sorted(due)
    assert abs(len(due) - 10_000) < 400  # four standard deviations
    gaps = [b - a for a, b in pairwise(due)]
    short = sum(gap < 1_000_000 for gap in gaps) / len(gaps)
    assert short == pytest.approx(1 - 2.718281828**-1, abs=0.03)


def test_the_same_seed_gives_the_same_times() -> None:
    """So that a product and a direct connection face the same bursts."""
    assert arrivals(100, 1, 7) == arrivals(100, 1, 7) != arrivals(100, 1, 8)


class Server:
    """Answers every request on every connection, each after `hold` was set."""

    def __init__(self, answer: bytes) -> None:
        self.hold = threading.Event()
        self.port = 0
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock: socket.socket) -> None:
        with sock:
            while sock.recv(4096):
                self.hold.wait()
                sock.sendall(self._answer)

    def close(self) -> None:
        """Accept no more."""
        self.hold.set()
        self._listener.close()


def test_waiting_counts_from_when_a_request_was_due() -> None:
    """One connection, all due at once, a stall before the first answer: all have waited so long."""
    server = Server(ANSWER)
    generator = Generator(server.port, [b"GET / HTTP/1.1\r\n\r\n"], connections=1)
    began = time.monotonic_ns()
    threading.Timer(0.2, server.hold.set).start()
    found = generator.run([0] * 20)
    took_us = (time.monotonic_ns() - began) / 1000
    generator.close()
    server.close()
    assert (found.requests, found.failed) == (20, 0)
    # A closed loop would have called 19 of the 20 fast.
    assert 100_000 < found.p50_us <= found.p99_us < took_us


def test_answers_that_are_no_success_are_failures() -> None:
    """And their latencies do not count."""
    server = Server(REFUSAL)
    server.hold.set()
    generator = Generator(server.port, [b"GET / HTTP/1.1\r\n\r\n"], connections=2)
    found = generator.run([0, 1000, 2000])
    generator.close()
    server.close()
    assert (found.requests, found.failed, found.p50_us) == (3, 3, 0)


def test_a_lost_connection_fails_its_request() -> None:
    """And with none left the rest fail, instead of waiting for ever."""
    server = Server(b"nonsense\r\n\r\n")
    server.hold.set()
    generator = Generator(server.port, [b"GET / HTTP/1.1\r\n\r\n"], connections=1)
    found = generator.run([0, 0, 0])
    generator.close()
    server.close()
    assert found.failed == 3
