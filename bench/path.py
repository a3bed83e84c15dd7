"""The stages of one request in this process, without sockets: `python -m bench path`.

For developers: what reading, deciding and writing cost, and a whole exchange between two transports
that do nothing, so that no kernel and no event loop is in the figures. Request heads that have been
seen lately and heads that never come again are told apart. `--profile` lists the functions that the
whole exchange spends its time in.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import pstats
import statistics
import time
import timeit
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from bench.load.requests import Shape, requests
from bench.proxy.origin import SMALL
from bench.proxy.products.cutover import rules
from bench.proxy.products.site import Site
from proxy.routing.schema import load_rules
from proxy.routing.table import Table
from proxy.serving.downstream import Downstream
from proxy.serving.plane import Plane
from proxy.snapshot import Snapshot
from proxy.upstream.connection import Home, UpstreamConnection
from proxy.upstream.instance import Instance
from proxy.upstream.pool import Pool
from proxy.wire.forwarding import Peer, write_request, write_response
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.parser import RequestParser, ResponseParser

ANSWER = (
    b"HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Fri, 27 Nov 2026 03:18:47 GMT\r\n"
    b"Content-Type: application/json\r\nContent-Length: %d\r\nConnection: keep-alive\r\n\r\n%b"
) % (len(SMALL), SMALL.encode())
SEEN = requests(Shape(different=200), routes=19)
NEVER = 10_000
TRACE = b"00-%032x-%016x-00" % (1, 1)
ID = b"0123456789abcdef0000"


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure every stage and print a table."""
    parser = argparse.ArgumentParser(
        prog="python -m bench path", description="The stages of a request."
    )
    parser.add_argument("--rounds", type=int, default=7, help="repetitions (default 7)")
    parser.add_argument("--count", type=int, default=NEVER, help=f"requests a round ({NEVER})")
    parser.add_argument("--profile", action="store_true", help="list the costliest functions")
    asked = parser.parse_args(argv)
    found = asyncio.run(measure(asked.rounds, asked.count, asked.profile))
    print(f"{'stage':32}{'us':>8}")
    for name, microseconds in found.items():
        print(f"{name:32}{microseconds:8.2f}")
    figures = {
        f"{name.replace(',', '').replace(' ', '_')}_us": round(us, 2) for name, us in found.items()
    }
    return {"ratios": {}, "figures": figures}


async def measure(rounds: int, count: int, profile: bool = False) -> dict[str, float]:
    """Give microseconds for each stage: the median of the rounds."""
    rig = Rig()
    stages: dict[str, tuple[Callable[[bytes], object], Callable[[], Iterator[bytes]]]] = {
        "read head, seen": (_reader(), _seen),
        "read head, never seen": (_reader(), _fresh()),
        "read answer": (_answer_reader(), _seen),
        "decide, seen": (_decider(rig.table), _seen),
        "decide, never seen": (_decider(rig.table), _fresh()),
        "write request": (_request_writer(), _seen),
        "write answer": (_answer_writer(), _seen),
        "whole exchange, seen": (rig.exchange, _seen),
        "whole exchange, never seen": (rig.exchange, _fresh()),
    }
    await rig.warm()
    rounds_of: dict[str, list[float]] = {name: [] for name in stages}
    for _ in range(rounds):
        for name, (work, source) in stages.items():
            rounds_of[name].append(_microseconds(work, source(), count))
    if profile:
        _profile(rig, count)
    return {name: statistics.median(found) for name, found in rounds_of.items()}


def _microseconds(work: Callable[[bytes], object], source: Iterator[bytes], count: int) -> float:
    given = list(itertools.islice(source, count))
    spent = timeit.timeit(lambda: [work(each) for each in given], timer=time.process_time, number=1)
    return spent / count * 1e6


def _seen() -> Iterator[bytes]:
    return itertools.cycle(SEEN)


def _fresh() -> Callable[[], Iterator[bytes]]:
    """Heads that differ in path and cookie from all before them, over all rounds."""
    numbers = itertools.count()

    def make() -> Iterator[bytes]:
        template = SEEN[0].replace(b"/0 HTTP", b"/%d HTTP").replace(b"=s0", b"=n%d")
        return (template % (number, number) for number in numbers)

    return make


def _reader() -> Callable[[bytes], RequestHead]:
    parser = RequestParser()

    def read(data: bytes) -> RequestHead:
        parser.receive(data)
        head = parser.next()
        parser.next()
        parser.restart()
        assert isinstance(head, RequestHead)  # noqa: S101 - else the bench is broken
        return head

    return read


def _answer_reader() -> Callable[[bytes], ResponseHead]:
    parser = ResponseParser("GET")

    def read(_data: bytes) -> ResponseHead:
        parser.restart("GET")
        parser.receive(ANSWER)
        head = parser.next()
        while parser.next() is not None:
            pass
        assert isinstance(head, ResponseHead)  # noqa: S101 - as above
        return head

    return read


def _decider(table: Table) -> Callable[[bytes], object]:
    """The time includes reading the head: subtract that stage."""
    read = _reader()

    def decide(data: bytes) -> object:
        head = read(data)
        route = table.match(head.method, head.path)
        assert route is not None  # noqa: S101 - as above
        identity = route.identify(head, b"192.0.2.1", table.parameters(route, head.path))
        assert identity is not None  # noqa: S101 - as above
        return route.decide(identity, None)

    return decide


def _request_writer() -> Callable[[bytes], object]:
    head, peer = _reader()(SEEN[0]), Peer("192.0.2.1", 8080)
    return lambda _: write_request(head, peer.provenance(head), ID, TRACE, frozenset())


def _answer_writer() -> Callable[[bytes], object]:
    request, answer = _reader()(SEEN[0]), _answer_reader()(b"")
    return lambda _: write_response(answer, request, b"Cutover-Side: legacy\r\n", close=False)


class Rig:
    """One worker's plane between transports that keep only what was written last."""

    def __init__(self) -> None:
        snapshot = Snapshot(1, *load_rules(rules(Site(Path(), 0, 9)), "bench"))
        self._upstream: list[Wire] = []
        self.plane = Plane(
            0, 1, b"k" * 32, Nobody(), None, time.monotonic, time.time,
            lambda rules, size, **more: Pool(rules, size, self._connect, **more),
        )  # fmt: skip
        self.plane.apply(snapshot)
        self.table = Table(snapshot.rules)
        self._client = Downstream(self.plane, set(), 8080)
        self._front = Wire()
        self._client.connection_made(self._front)

    async def _connect(
        self, home: Home, instance: Instance, idle_limit: float, _deadline: float
    ) -> UpstreamConnection:
        connection = UpstreamConnection(home, instance, idle_limit)
        self._upstream.append(Wire())
        connection.connection_made(self._upstream[-1])
        self._upstream[-1].protocol = connection
        return connection

    async def warm(self) -> None:
        """Make the connection to each side."""
        for request in SEEN:
            self._client.data_received(request)
            for _ in range(4):
                await asyncio.sleep(0)
            self._answer()

    def exchange(self, request: bytes) -> None:
        """One request, its answer, and nothing left over."""
        self._client.data_received(request)
        self._answer()

    def _answer(self) -> None:
        for wire in self._upstream:
            if wire.last:
                wire.last = b""
                wire.protocol.data_received(ANSWER)
        if not self._front.last.startswith(b"HTTP/1.1 200 "):
            raise RuntimeError(f"the rig's client got {self._front.last[:80]!r}")
        self._front.last = b""


class Nobody:
    """A tap that nobody listens at: nothing is mirrored here."""

    connected = False

    def offer(self, frame: bytes) -> str | None:
        """Refuse."""
        del frame
        return "no_worker"


class Wire(asyncio.Transport):
    """A transport to nowhere."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 50_000)})
        self.last = b""
        self.protocol: asyncio.Protocol

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Keep what was written last."""
        self.last = bytes(data)

    def get_write_buffer_size(self) -> int:
        """Nothing ever waits."""
        return 0

    def is_closing(self) -> bool:
        """Never."""
        return False

    def is_reading(self) -> bool:
        """Always."""
        return True

    def pause_reading(self) -> None:
        """Nothing comes by itself."""

    def resume_reading(self) -> None:
        """Nothing comes by itself."""

    def close(self) -> None:
        """Nothing to close."""

    def abort(self) -> None:
        """Nothing to close."""


def _profile(rig: Rig, count: int) -> None:
    given = list(itertools.islice(_fresh()(), count))
    profiler = cProfile.Profile()
    profiler.enable()
    for each in given:
        rig.exchange(each)
    profiler.disable()
    pstats.Stats(profiler).strip_dirs().sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main([])
