"""A data plane worker between raw clients and scripted upstreams, every byte of which is kept.

Nothing on either side is an HTTP library: a client sends exactly what the test says, an upstream
answers exactly what the test says, and what neither of them expected shows in the bytes.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import ssl
import struct
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, Final, cast

import orjson

from proxy.kill_file import KillFile
from proxy.observe.metrics import EVENTS
from proxy.outcome import OutcomeBatch, Tally
from proxy.routing.schema import rules_from_plain
from proxy.routing.side import Side
from proxy.serving.drain import Patience
from proxy.serving.listener import Listener, listeners
from proxy.serving.mirror import Mirror
from proxy.serving.plane import Plane
from proxy.serving.tls import CertificateStore
from proxy.serving.worker import Worker
from proxy.snapshot import Snapshot
from proxy.upstream.pool import Pool
from tests.support import eventually_async
from tests.support_wire import Pieces, one_shot

PATIENCE: Final = 10.0
"""Seconds to wait for what must happen; nothing is ever waited for to not happen."""

READY_PATH: Final = "/.cutover/ready"

TRUSTED: Final = "127.0.0.2"
"""Source address of clients that the rules trust."""

DOORS: Final = ("", "proxy", "tls", "tls;proxy")
"""Listeners by what comes before HTTP there."""

OVERRIDE_KEY: Final = b"o" * 32

COUNTED: Final = ("decided", "served", "ok", "bad", "aborted", "rejected", "fallbacks")

_NUMBERS = count(1)


def canary() -> str:
    """Make a token that no other answer of this process holds."""
    return f"canary-{next(_NUMBERS)}-"


class Wire(asyncio.Protocol):
    """One end of a connection: everything received, and how it ended (closed or reset)."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.ended = ""
        self.gone = False
        self._transport: asyncio.Transport
        self._news = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin, with every write a packet of its own, and with little room in the kernel."""
        self._transport = cast("asyncio.Transport", transport)
        sock = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65_536)

    def data_received(self, data: bytes) -> None:
        """Keep what came."""
        self.received += data
        self._news.set()

    def eof_received(self) -> bool:
        """Stay open for writing: the other side has only said that it will send no more."""
        self.ended = self.ended or "closed"
        self._news.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """Keep how it ended."""
        self.ended = self.ended or ("reset" if exc is not None else "closed")
        self.gone = True
        self._news.set()

    async def until(self, seen: Callable[[], object], what: str) -> None:
        """Wait until this holds; fails with what was received instead."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not seen():
                    self._news.clear()
                    await self._news.wait()
        except TimeoutError:
            got = f"{bytes(self.received[-2000:])!r} ({len(self.received)} bytes) {self.ended}"
            raise AssertionError(f"no {what}; got {got}") from None

    async def end(self) -> str:
        """Wait until the connection has ended; says how."""
        await self.until(lambda: self.ended, "end of the connection")
        return self.ended

    async def send(self, pieces: Pieces) -> None:
        """Send each piece in a turn of its own, so that the other side reads them one by one."""
        for piece in pieces:
            self.write(piece)
            if len(pieces) > 1:
                await asyncio.sleep(0)

    def write(self, data: bytes) -> None:
        """Send, unless the other side has broken the connection."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def write_now(self, data: bytes) -> None:
        """Send before the event loop takes its next turn."""
        os.write(self._transport.get_extra_info("socket").fileno(), data)

    def shut_now(self) -> None:
        """Close for sending before the event loop takes its next turn."""
        with self._sock() as sock:
            sock.shutdown(socket.SHUT_WR)

    def _sock(self) -> socket.socket:
        return socket.socket(fileno=os.dup(self._transport.get_extra_info("socket").fileno()))

    async def flush(self) -> None:
        """Wait until everything has left: a reset throws away what has not."""
        while self.unsent:  # noqa: ASYNC110 - the transport tells only its protocol
            await asyncio.sleep(0)

    def half_close(self) -> None:
        """Say that no more is sent."""
        self._transport.write_eof()

    def close(self) -> None:
        """Close in good order."""
        self._transport.close()

    def reset(self) -> None:
        """Break the connection, before the event loop takes its next turn."""
        if not self._transport.is_closing():
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._transport.abort()

    async def dispose(self) -> None:
        """End the connection in whatever state it is."""
        if not self.gone:
            self._transport.abort()
            await self.until(lambda: self.gone, "end")

    @property
    def unsent(self) -> int:
        """How many bytes still wait to be sent."""
        return self._transport.get_write_buffer_size()

    def pause(self) -> None:
        """Stop reading."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Go on reading."""
        self._transport.resume_reading()


@dataclass(frozen=True)
class Answer:
    """One answer as a client saw it: raw head and decoded body."""

    status: int
    head: bytes
    body: bytes
    raw: bytes

    def get(self, name: str) -> str | None:
        """Give the value of a field that stands there at most once."""
        values = self.all(name)
        assert len(values) < 2, (name, values)
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Give the values of all fields of this name."""
        pattern = rb"(?im)^" + re.escape(name.encode()) + rb": (.*)\r$"
        return [value.decode("latin-1") for value in re.findall(pattern, self.head + b"\r\n")]


def _cut_message(
    data: bytes, bodyless: Callable[[bytes], bool], until_close: bool
) -> tuple[bytes, bytes, int] | None:
    """Cut the first message: (head, decoded body, length), or None when it is not complete yet."""
    end = data.find(b"\r\n\r\n")
    if end < 0:
        return None
    head, at = data[:end], end + 4
    if bodyless(head):
        return head, b"", at
    length = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    if re.search(rb"(?i)\r\ntransfer-encoding: chunked", head):
        body = b""
        while True:
            line = data.find(b"\r\n", at)
            if line < 0:
                return None
            size = int(data[at:line], 16)
            if not size:
                # The last chunk's line ends in the CRLF that also ends a trailer section of none.
                end = data.find(b"\r\n\r\n", line)
                return None if end < 0 else (head, body, end + 4)
            piece = data[line + 2 : line + 4 + size]
            if len(piece) < size + 2:
                return None
            at = line + 4 + size
            body += piece[:size]
    if length is None:
        return (head, data[at:], len(data)) if until_close else None
    total = at + int(length[1])
    return (head, data[at:total], total) if len(data) >= total else None


class Client(Wire):
    """A client that sends what the test says."""

    async def answer(self, method: str = "GET") -> Answer:
        """Take the next final answer off what was received, interim answers skipped over."""
        found: Answer | None = None

        def seen() -> bool:
            nonlocal found
            found = self._take(method)
            return found is not None

        await self.until(seen, "complete answer")
        assert found is not None
        return found

    def _take(self, method: str) -> Answer | None:
        data = bytes(self.received)
        cut = _cut_message(
            data,
            lambda head: method == "HEAD" or head[9:12] in (b"204", b"304"),
            self.ended == "closed",
        )
        if cut is None:
            return None
        head, body, length = cut
        assert head.startswith(b"HTTP/1.1 "), head
        del self.received[:length]
        return Answer(int(head[9:12]), head, body, data[:length])

    async def is_clean(self, path: str = "/l/") -> None:
        """Prove that the next request on this connection gets its own answer and nothing else."""
        token = canary()
        assert not self.received, f"surplus: {bytes(self.received)!r}"
        await self.send([f"GET {path}{token} HTTP/1.1\r\nHost: h\r\n\r\n".encode()])
        answer = await self.answer()
        assert (answer.status, answer.body) == (200, token.encode()), answer
        assert not self.received


@dataclass
class Received:
    """One request as the upstream got it; `raw` with the parts that chance decides replaced."""

    head: bytes
    body: bytes
    raw: bytes
    connection: Upstreamed

    @property
    def target(self) -> str:
        """What was asked for."""
        return self.head.split(b" ", 2)[1].decode()

    def get(self, name: str) -> str | None:
        """Give the value of a field that stands there at most once."""
        return Answer(0, self.head, b"", b"").get(name)

    def all(self, name: str) -> list[str]:
        """Give the values of all fields of this name."""
        return Answer(0, self.head, b"", b"").all(name)


_CHANCE: Final = (
    (re.compile(rb"\r\nX-Request-Id: [0-9a-f]{20}\r\n"), b"\r\nX-Request-Id: ID\r\n"),
    (re.compile(rb"\r\ntraceparent: 00-[0-9a-f]{32}-[0-9a-f]{16}-00\r\n"), b"\r\n"),
)


def steady(raw: bytes) -> bytes:
    """Replace what chance decides in a request: our request id and trace context."""
    for pattern, replacement in _CHANCE:
        raw = pattern.sub(replacement, raw, count=1)
    return raw


_FRAMED: Final = re.compile(rb"(?i)\r\n(?:content-length|transfer-encoding): ")

Handler = Callable[["Upstreamed", Received], Awaitable[None]]


async def echo(connection: Upstreamed, request: Received) -> None:
    """Answer with the last segment of the path, which is where canaries are."""
    body = request.target.rpartition("/")[2].encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    await connection.send([head + (b"" if request.head.startswith(b"HEAD ") else body)])


def says(*pieces: bytes, then: str = "") -> Handler:
    """Make a handler that sends these pieces and then does nothing, `close` or `reset`."""

    async def handler(connection: Upstreamed, _: Received) -> None:
        await connection.send(list(pieces))
        if then:
            await connection.flush()
            (connection.close if then == "close" else connection.reset)()

    return handler


class Upstreamed(Wire):
    """One connection that the data plane has opened; `news` is bytes received in this case."""

    def __init__(self, upstream: Upstream) -> None:
        super().__init__()
        self._upstream = upstream
        self._read = 0
        self.news = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Join the list."""
        super().connection_made(transport)
        self._upstream.connections.append(self)
        if self._upstream.on_connect is not None:
            self._upstream.on_connect(self)

    def data_received(self, data: bytes) -> None:
        """Keep what came and have complete requests answered."""
        super().data_received(data)
        self.news += len(data)
        if self._upstream.raw is not None:
            self._upstream.raw(self)
        else:
            self.read_on()

    def read_on(self) -> None:
        """Take all complete requests off what was received, and have them answered."""
        while True:
            rest = bytes(self.received[self._read :])
            cut = _cut_message(rest, lambda head: _FRAMED.search(head) is None, False)
            if cut is None:
                return
            head, body, length = cut
            self._read += length
            request = Received(head, body, steady(rest[:length]), self)
            self._upstream.requests.append(request)
            self._upstream.news.set()
            handlers = self._upstream.handlers
            handler = handlers.popleft() if handlers else echo
            task = asyncio.get_running_loop().create_task(cast("Any", handler(self, request)))
            self.tasks.add(task)
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self._upstream.errors.append(cast("BaseException", task.exception()))

    @property
    def unread(self) -> bytes:
        """Bytes of a request that is not complete."""
        return bytes(self.received[self._read :])


@dataclass
class Upstream:
    """One application: what it received, and how it answers the next requests (then: echo)."""

    port: int = 0
    connections: list[Upstreamed] = field(default_factory=list)
    requests: list[Received] = field(default_factory=list)
    handlers: deque[Handler] = field(default_factory=deque)
    errors: list[BaseException] = field(default_factory=list)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    on_connect: Callable[[Upstreamed], None] | None = None
    raw: Callable[[Upstreamed], None] | None = None
    tls: ssl.SSLContext | None = None
    _server: asyncio.Server | None = None

    async def listen(self) -> None:
        """Begin to accept, on the port of before if there was one."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            lambda: Upstreamed(self), "127.0.0.1", self.port, reuse_address=True, ssl=self.tls
        )
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections and break those there are."""
        if self._server is not None:
            self._server.close()
            self._server = None
        await self.hang_up()

    async def hang_up(self) -> None:
        """Break all connections."""
        for connection in self.connections:
            connection.reset()
            await connection.dispose()

    def forget(self) -> None:
        """Forget what was received and what was still to be said."""
        self.requests.clear()
        self.handlers.clear()
        self.on_connect = self.raw = None
        self.connections[:] = [c for c in self.connections if not c.gone]
        for connection in self.connections:
            connection.news = 0

    def answers(self, *handlers: Handler) -> None:
        """Answer the next requests like this, one handler for each."""
        self.handlers.extend(handlers)

    async def got(self, number: int) -> Received:
        """Wait for the request of this number, from 1."""
        async with asyncio.timeout(PATIENCE):
            while len(self.requests) < number:
                self.news.clear()
                await self.news.wait()
        return self.requests[number - 1]


class NoUplink:
    """The line to a controller that does not exist; keeps what was sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, dict[str, Any]]] = []

    async def run(self) -> None:
        """Wait for ever."""
        await asyncio.Event().wait()

    def send(self, kind: str, payload: dict[str, Any]) -> bool:
        """Keep it."""
        self.sent.append((kind, payload))
        return True


class Lines:
    """An access log in memory."""

    def __init__(self) -> None:
        self.lines: list[dict[str, object]] = []

    def record(self, line: dict[str, object]) -> None:
        """Keep one line."""
        self.lines.append(line)


@dataclass
class Rig:
    """A running worker with both its upstreams. `skew` sets its clock forward, in seconds."""

    legacy: Upstream
    modern: Upstream
    log: Lines
    uplink: NoUplink
    plane: Plane
    worker: Worker
    port: int
    skew: list[float]
    ports: dict[str, int]
    version: int = 1
    clients: list[Client] = field(default_factory=list)
    _noted_before: dict[str, Counter[str]] = field(default_factory=dict)

    async def client(
        self,
        source: str = "127.0.0.1",
        *,
        door: str = "",
        header: Pieces | None = None,
        tls: ssl.SSLContext | None = None,
        host: str | None = None,
    ) -> Client:
        """Connect a client from a source address.

        `door` is one of `DOORS`; `header` is sent before TLS begins, if it does, with a host named.
        """
        loop = asyncio.get_running_loop()
        sock = socket.create_connection(
            ("127.0.0.1", self.ports[door]), PATIENCE, source_address=(source, 0)
        )
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in header or []:
            await loop.sock_sendall(sock, piece)
            await asyncio.sleep(0)
        named = (host or "shop.test") if tls is not None else None
        _, client = await loop.create_connection(Client, sock=sock, ssl=tls, server_hostname=named)
        self.clients.append(client)
        return client

    def noted(self, event: str) -> dict[str, int]:
        """Give how often an event was counted since the last `forget`, by label."""
        return dict(self._all_noted(event) - self._noted_before.get(event, Counter()))

    def _all_noted(self, event: str) -> Counter[str]:
        found = Counter(self.plane._events.get(event, {}))
        for kind, payload in self.uplink.sent:
            if kind == "outcomes":
                found.update(payload["events"].get(event, {}))
        return found

    async def has_noted(self, event: str, label: str) -> None:
        """Wait until an event has been counted, once and with this label only."""

        async def seen() -> bool:
            return bool(self.noted(event))

        await eventually_async(seen, PATIENCE, f"{event}: {label}")
        assert self.noted(event) == {label: 1}

    async def ask(
        self,
        raw: bytes,
        *,
        method: str = "GET",
        split: Callable[[bytes], Pieces] = one_shot,
        source: str = "127.0.0.1",
    ) -> tuple[Answer, Client]:
        """Send bytes on a new connection and take the first answer."""
        client = await self.client(source)
        await client.send(split(raw))
        return await client.answer(method), client

    async def saw_part(self, side: Upstream, end: bytes) -> Upstreamed:
        """Wait until a side has received a part of a request that ends so."""
        found: list[Upstreamed] = []

        async def seen() -> bool:
            found[:] = [c for c in side.connections if c.unread.endswith(end) and not c.ended]
            return bool(found)

        await eventually_async(seen, PATIENCE, f"a request that ends in {end!r}")
        return found[0]

    async def has_waiting(self, pool: Pool, number: int) -> None:
        """Wait until so many requests wait for a connection of this pool."""

        async def seen() -> bool:
            return pool.figures["waiting"] == number

        await eventually_async(seen, PATIENCE, f"{number} waiting requests")

    def closing(self) -> int:
        """Count the clients that have had their last answer."""
        return sum(each._closing for each in self.worker._live)

    async def until_closing(self, number: int) -> None:
        """Wait until so many clients have had their last answer."""

        async def seen() -> bool:
            return self.closing() == number

        await eventually_async(seen, PATIENCE, f"{number} clients that are closing")

    async def until_paused(self) -> None:
        """Wait until an answer waits for a client that does not read."""

        async def seen() -> bool:
            return any(not each.writable for each in self.worker._live)

        await eventually_async(seen, PATIENCE, "a client that does not read")

    async def until_clients(self, number: int) -> None:
        """Wait until so many clients are left."""

        async def seen() -> bool:
            return len(self.worker._live) == number

        await eventually_async(seen, PATIENCE, f"{number} clients")

    async def is_clean(self) -> None:
        """Prove with new clients that pooled connections answer what they were asked."""
        for path in ("/l/", "/m/"):
            client = await self.client()
            await client.is_clean(path)
            await client.is_clean(path)
            client.close()
        assert not self.legacy.errors, self.legacy.errors
        assert not self.modern.errors, self.modern.errors

    async def hang_up(self) -> None:
        """End all client connections."""
        for client in self.clients:
            await client.dispose()
        self.clients.clear()

    def forget(self) -> None:
        """Begin a new case with no memory of the last, and with idle connections only."""
        self.legacy.forget()
        self.modern.forget()
        self.log.lines.clear()
        self._noted_before = {event: self._all_noted(event) for event in EVENTS}

    def later(self, seconds: float) -> None:
        """Let the worker's clock jump ahead, and have it look at its deadlines."""
        self.skew[0] += seconds
        for downstream in tuple(self.worker._live):
            downstream.on_tick(self.plane.now())

    def counted(self, route: str, side: Side) -> Counter[str]:
        """Give everything counted so far of a route and side, what was sent up included."""
        self.worker._tell(self.plane.tallies.take_all())
        total: Counter[str] = Counter()
        for kind, payload in self.uplink.sent:
            if kind == "outcomes":
                tally = OutcomeBatch.from_wire(payload).tallies.get((route, side.value), Tally())
                total.update({name: getattr(tally, name) for name in COUNTED})
        return +total

    def document(self, upstreams: dict[str, dict[str, Any]]) -> dict[str, Any]:
        """Write the rules with something else said about an upstream."""
        plain = document(self.legacy.port, self.modern.port)
        for side, changes in upstreams.items():
            plain["upstreams"][side].update(changes)
        return plain

    def rules(self, document: dict[str, Any]) -> None:
        """Have other rules applied."""
        self.version += 1
        self.worker.on_message("snapshot", snapshot(document, self.version).to_wire())


def snapshot(document: dict[str, Any], version: int = 1) -> Snapshot:
    """Make a snapshot of a rules document."""
    return Snapshot(version, document, rules_from_plain(document))


def document(legacy: int, modern: int, **more: Any) -> dict[str, Any]:
    """Write rules: /l/* is served by legacy, /m/* by modern, /strict/* by modern alone."""
    timeouts = {"connect": "1s", "response": "5s", "idle": "60s"}
    return {
        "version": 1,
        "upstreams": {
            "legacy": {
                "instances": [f"http://127.0.0.1:{legacy}"],
                "max_connections": 4,
                "timeouts": timeouts,
            },
            "modern": {
                "instances": [f"http://127.0.0.1:{modern}"],
                "max_connections": 4,
                "timeouts": timeouts,
            },
        },
        "trusted_networks": [f"{TRUSTED}/32"],
        "allowed_headers": ["x_allowed"],
        "routes": [
            {"id": "modern", "match": {"path": "/m/*"}, "weight": "100%"},
            {
                "id": "strict",
                "match": {"path": "/strict/*"},
                "weight": "100%",
                "fallback": False,
            },
            {"id": "legacy", "match": {"path": "/*"}, "weight": "0%"},
        ],
        **more,
    }


@asynccontextmanager
async def running(
    state: Path,
    *,
    drain_seconds: float = 5.0,
    grace_seconds: float = 0.0,
    certificates: CertificateStore | None = None,
    **more: Any,
) -> AsyncIterator[Rig]:
    """Run a worker with its upstreams; `more` goes into the rules document.

    It has all of `DOORS` when there are certificates, else those without TLS.
    """
    loop = asyncio.get_running_loop()
    legacy, modern = Upstream(), Upstream()
    await legacy.listen()
    await modern.listen()
    file = state / "snapshot.json"
    first = snapshot(document(legacy.port, modern.port, **more))
    file.write_bytes(orjson.dumps(first.to_wire()))
    skew, log, uplink, mirror = [0.0], Lines(), NoUplink(), Mirror([])
    plane = Plane(
        0, 1, b"k" * 32, mirror, log, lambda: loop.time() + skew[0], time.time,
        ready_path=READY_PATH, override_key=OVERRIDE_KEY,
    )  # fmt: skip
    doors = [
        Listener(listeners(("127.0.0.1", 0), 1)[0], "tls" in name, "proxy" in name)
        for name in DOORS
        if certificates is not None or "tls" not in name
    ]
    ports = {name: each.sock.getsockname()[1] for name, each in zip(DOORS, doors, strict=False)}
    patience = Patience(grace_seconds, drain_seconds)
    worker = Worker(
        plane, mirror, None, doors, file, patience, KillFile(state), certificates=certificates
    )
    serving = loop.create_task(worker.serve(lambda _: uplink))
    rig = Rig(legacy, modern, log, uplink, plane, worker, ports[""], skew, ports)
    try:
        yield rig
    finally:
        await rig.hang_up()
        for upstream in (legacy, modern):
            await upstream.hang_up()  # one end of a tunnel that stays open keeps it
        worker.stop()
        await serving
        await legacy.stop()
        await modern.stop()
