"""Open loop: requests are due at times drawn beforehand, and latency counts from when they are due.

A closed loop hides waiting: while a product stalls, nobody asks, so that one stall is one bad
figure instead of hundreds (coordinated omission). Here arrivals are a Poisson process, as of many
independent users; a request that finds no free connection waits, and its waiting counts.

One thread, epoll and a timer of the kernel: about 15 us of CPU time per request. The generator's
own lateness is part of every latency, of a direct connection's too; it is given as `late_us`.

Run as a program: `python -m bench.load.openloop PORT FILE RATE SECONDS CONNECTIONS SEED`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import select
import socket
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.load.answers import Cutter
from bench.load.wrk import unpack
from bench.stats import percentile
from proxy.slices import ask_for_short_slices

PATIENCE_NS = 10_000_000_000
"""How long after the last due time answers are awaited."""


@dataclass(frozen=True, slots=True)
class Latencies:
    """Microseconds from when a request was due to when its answer was complete."""

    requests: int
    failed: int
    p50_us: float
    p99_us: float
    p999_us: float
    late_us: float
    """How late the generator itself sent, 99th percentile, when a connection was free."""


class Timer:
    """A timer of the kernel that makes a file readable at a given time of the monotonic clock."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        self.fd = self._libc.timerfd_create(time.CLOCK_MONOTONIC, os.O_NONBLOCK)
        if self.fd < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")
        self._spec = (ctypes.c_int64 * 4)()
        self._absolute = 1

    def set(self, at_ns: int) -> None:
        """Arm for this time; an earlier one is forgotten."""
        self._spec[2], self._spec[3] = divmod(at_ns, 1_000_000_000)
        self._libc.timerfd_settime(self.fd, self._absolute, self._spec, None)

    def close(self) -> None:
        """Give the file back."""
        os.close(self.fd)


def arrivals(rate: float, seconds: float, seed: int) -> list[int]:
    """Due times of a Poisson process, in nanoseconds after the beginning."""
    chance = random.Random(seed)
    found: list[int] = []
    at = chance.expovariate(rate)
    while at < seconds:
        found.append(int(at * 1e9))
        at += chance.expovariate(rate)
    return found


class Generator:
    """Sends requests when they are due, over connections that are kept."""

    def __init__(self, port: int, requests: Sequence[bytes], connections: int) -> None:
        self._requests = requests
        self._epoll = select.epoll()
        self._timer = Timer()
        self._epoll.register(self._timer.fd, select.EPOLLIN)
        self._sockets: dict[int, socket.socket] = {}
        self._cutters: dict[int, Cutter] = {}
        for _ in range(connections):
            sock = socket.create_connection(("127.0.0.1", port), 10)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setblocking(False)
            self._sockets[sock.fileno()] = sock
            self._cutters[sock.fileno()] = Cutter()
            self._epoll.register(sock.fileno(), select.EPOLLIN)
        self._free = list(self._sockets)
        self._due_of: dict[int, int] = {}
        self._took: list[int] = []
        self._late: list[int] = []
        self._failed = 0
        self._sent = 0

    def run(self, due: Sequence[int]) -> Latencies:
        """Send everything that is due, await the answers, and give what was measured."""
        begin = time.monotonic_ns() + 20_000_000
        waiting: deque[int] = deque()
        at, count = 0, len(due)
        end = begin + (due[-1] if due else 0) + PATIENCE_NS
        while len(self._took) + self._failed < count:
            now = time.monotonic_ns()
            while at < count and begin + due[at] <= now:
                waiting.append(begin + due[at])
                if self._free:
                    self._late.append(now - waiting[-1])
                at += 1
            while waiting and self._free:
                self._send(waiting.popleft())
            if at < count:
                self._timer.set(begin + due[at])
            for fd, _ in self._epoll.poll(1.0):
                if fd != self._timer.fd:
                    self._receive(fd)
                else:
                    os.read(fd, 8)
            if now > end or not self._sockets:
                break
        self._failed += count - len(self._took) - self._failed
        return self._figures(count)

    def close(self) -> None:
        """Close everything."""
        for sock in self._sockets.values():
            sock.close()
        self._timer.close()
        self._epoll.close()

    def _send(self, due: int) -> None:
        fd = self._free.pop()
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        self._due_of[fd] = due
        # What does not fit into the socket's buffer would have to be kept: no request is so large.
        if self._sockets[fd].send(request) != len(request):
            raise RuntimeError("a request does not fit into the socket's buffer")

    def _receive(self, fd: int) -> None:
        try:
            data = self._sockets[fd].recv(262_144)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        status = self._cutters[fd].feed(data) if data else -1
        if status == 0:
            return
        due = self._due_of.pop(fd, None)
        if status == -1 or due is None:
            self._failed += due is not None
            self._epoll.unregister(fd)
            self._sockets.pop(fd).close()
            if fd in self._free:
                self._free.remove(fd)
            return
        if 200 <= status < 300:
            self._took.append(time.monotonic_ns() - due)
        else:
            self._failed += 1
        self._free.append(fd)

    def _figures(self, count: int) -> Latencies:
        took, late = sorted(self._took) or [0], sorted(self._late) or [0]
        return Latencies(
            requests=count,
            failed=self._failed,
            p50_us=percentile(took, 0.5) / 1000,
            p99_us=percentile(took, 0.99) / 1000,
            p999_us=percentile(took, 0.999) / 1000,
            late_us=percentile(late, 0.99) / 1000,
        )


def main(argv: list[str]) -> int:
    """Run once and print the figures as JSON."""
    port, file, rate, seconds, connections, seed = argv
    generator = Generator(int(port), unpack(Path(file).read_bytes()), int(connections))
    due = arrivals(float(rate), float(seconds), int(seed))
    gc.disable()  # a collection in the middle would be measured as the product's
    ask_for_short_slices()  # and so would be what shares this core, for 3 ms at a time
    try:
        print(json.dumps(asdict(generator.run(due))))
    finally:
        generator.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
