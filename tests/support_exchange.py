"""A data plane without a network: what comes in, what must go out, and a clock to be told."""

from __future__ import annotations

import re
from dataclasses import fields
from itertools import count
from typing import Any

from proxy.clock import FakeClock
from proxy.outcome import OutcomeBatch, Tally
from proxy.routing.side import Side
from proxy.serving.copying import ROOM
from proxy.serving.downstream import Downstream
from proxy.serving.plane import Plane
from proxy.snapshot import Snapshot
from proxy.upstream.fake import FakeConnector, FakeTransport, turn
from proxy.upstream.pool import Pool
from shadow_compare.capture import Capture
from tests.support_routing import plain, route, rules

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
MINT_KEY = b"k" * 32
OVERRIDE_KEY = b"o" * 32
RESPONSE_TIMEOUT = 30.0
_VERSIONS = count(1)


def get(path: str = "/a", *lines: str) -> bytes:
    """Write a GET."""
    return request("GET", path, *lines)


def request(method: str, path: str, *lines: str, body: bytes = b"") -> bytes:
    """Write a request; a body comes with its length."""
    framing = [f"Content-Length: {len(body)}"] if body else []
    head = [f"{method} {path} HTTP/1.1", "Host: shop.test", *lines, *framing]
    return "\r\n".join([*head, "", ""]).encode() + body


def answer(status: int, body: bytes = b"", *lines: str) -> bytes:
    """Write an answer with its length."""
    head = [f"HTTP/1.1 {status} Some Reason", *lines, f"Content-Length: {len(body)}"]
    return "\r\n".join([*head, "", ""]).encode() + body


class Tap:
    """Where captures go."""

    def __init__(self) -> None:
        self.connected = True
        self.refusal: str | None = None
        self.failure: Exception | None = None
        self.captures: list[Capture] = []

    def offer(self, frame: bytes) -> str | None:
        """Take a frame, or refuse it."""
        if self.failure is not None:
            raise self.failure
        if self.refusal is None:
            self.captures.append(Capture.decode(frame[4:]))
        return self.refusal


class Log:
    """Where the access log goes."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []

    def record(self, line: dict[str, object]) -> None:
        """Take a line."""
        self.lines.append(dict(line))


class Client:
    """One client connection; `answers` are the messages it received since the last look."""

    def __init__(self, scene: Scene, address: str, high_water: int) -> None:
        self.downstream = Downstream(scene.plane, scene.live, 8080)
        self.transport = FakeTransport(self.downstream, high_water, (address, 50_000))
        self.downstream.connection_made(self.transport)

    def send(self, *data: bytes) -> None:
        """Send bytes, each in a packet of its own."""
        for piece in data:
            self.transport.receive(piece)

    def received(self) -> bytes:
        """Read what has come since the last time."""
        return self.transport.take()

    def status(self) -> int:
        """Read one answer; give its status."""
        found = re.match(rb"HTTP/1\.1 ([0-9]{3}) ", self.received())
        assert found is not None
        return int(found[1])

    @property
    def reset(self) -> bool:
        """Whether it was cut off."""
        return self.transport.aborted

    @property
    def closed(self) -> bool:
        """Whether it was told in good order that no more answers come."""
        return (self.transport.eof_written or self.transport.closing) and not self.reset

    def leave(self) -> None:
        """Go away without a word."""
        self.transport.lose(ConnectionResetError())


class Scene:
    """One worker's plane over fake upstreams. `chance` is what instances are drawn by."""

    def __init__(self, *routes: dict[str, Any], log: bool = True, **others: Any) -> None:
        self.clock = FakeClock()
        self.tap, self.log = Tap(), Log()
        self.live: set[Downstream] = set()
        self.network = {side: FakeConnector(high_water=100_000) for side in Side}
        self.plane = Plane(
            0, 1, MINT_KEY, self.tap, self.log if log else None, self.clock.monotonic,
            self.clock.wall,
            lambda rules, size, **more: Pool(
                rules, size, self.network[rules.side], **{**more, "chance": lambda: self.chance}
            ),
            override_key=OVERRIDE_KEY,
        )  # fmt: skip
        self.chance = 0.0
        self.clients: list[Client] = []
        self._sum: dict[tuple[str, str], Tally] = {}
        self.batches: list[OutcomeBatch] = []
        if routes:
            self.apply(*routes, **others)

    def apply(self, *routes: dict[str, Any], kill_switch: bool = False, **others: Any) -> None:
        """Serve by these rules from now on."""
        document, found = plain(*routes, **others), rules(*routes, **others)
        snapshot = Snapshot(next(_VERSIONS), document, found, kill_switch=kill_switch)
        self.plane.apply(snapshot)

    def client(self, address: str = "192.0.2.1", high_water: int = 1_000_000) -> Client:
        """Let a client connect."""
        self.clients.append(Client(self, address, high_water))
        return self.clients[-1]

    async def accept(self, side: Side) -> FakeTransport:
        """Let a connection to a side be made; give the upstream's end."""
        await turn()
        return await self.network[side].accept()

    async def refuse(self, side: Side, error: Exception | None = None) -> None:
        """Let a connection to a side fail."""
        await turn()
        await self.network[side].refuse(error)

    def wait(self, seconds: float) -> None:
        """Let time pass, and the worker look at deadlines."""
        self.clock.advance(seconds)
        for downstream in tuple(self.live):
            downstream.on_tick(self.clock.monotonic())
        for orphan in tuple(self.plane.orphans):
            orphan.on_tick(self.clock.monotonic())

    def counts(self, route_id: str, side: Side) -> dict[str, int]:
        """Give what was counted so far for a route and side, without zeros."""
        self._collect()
        tally = self._sum.get((route_id, side.value), Tally())
        numbers = {f.name: getattr(tally, f.name) for f in fields(Tally)}
        return {name: n for name, n in numbers.items() if isinstance(n, int) and n}

    def tally(self, route_id: str, side: Side) -> Tally:
        """Give everything counted so far for a route and side."""
        self._collect()
        return self._sum[route_id, side.value]

    def events(self, name: str) -> dict[str, int]:
        """Give how often an event was counted so far, by label."""
        self._collect()
        found: dict[str, int] = {}
        for batch in self.batches:
            for label, number in batch.events.get(name, {}).items():
                found[label] = found.get(label, 0) + number
        return found

    def dropped(self, route_id: str = "all") -> dict[str, int]:
        """Give why captures of a route were dropped."""
        self._collect()
        found: dict[str, int] = {}
        for batch in self.batches:
            for reason, number in batch.captures_dropped.get(route_id, {}).items():
                found[reason] = found.get(reason, 0) + number
        return found

    def _collect(self) -> None:
        batch = self.plane.batch(self.plane.tallies.take_all())
        self.batches.append(batch)
        for key, tally in batch.tallies.items():
            into = self._sum.setdefault(key, Tally())
            for name in (f.name for f in fields(Tally)):
                if isinstance(value := getattr(tally, name), int):
                    setattr(into, name, getattr(into, name) + value)
            into.bad_events += tally.bad_events
            into.slow_events += tally.slow_events
            into.denied_events += tally.denied_events
            for bucket, number in tally.latencies.items():
                into.latencies[bucket] = into.latencies.get(bucket, 0) + number

    def check_nothing_is_left(self) -> None:
        """Let all clients go, and say that nothing remains of their exchanges."""
        for client in self.clients:
            if client.transport.closing:
                client.transport.settle()
            else:
                client.transport.lose()
        self.wait(RESPONSE_TIMEOUT)  # for answers that are read without their clients
        assert not self.plane.orphans
        assert self.plane.room.left == ROOM
        assert self.plane.admission.in_flight == 0
        assert self.plane.connections == 0
        assert not self.live
        for pool in self.plane.pools.values():
            assert (pool.figures["leased"], pool.figures["waiting"]) == (0, 0)


def sides(**by_side: dict[str, Any]) -> dict[str, Any]:
    """Give both upstreams, with what is said of them; one instance each unless it is said."""
    return {
        side.value: {"instances": [f"http://{side.value}.test:80"], **by_side.get(side.value, {})}
        for side in Side
    }


def on(weight: float, **others: Any) -> dict[str, Any]:
    """Give the route `all` with this weight in percent."""
    return route("/*", "all", weight=f"{weight}%", **others)
