"""A script of bytes on a data plane without a network: clients, upstreams and the clock by steps.

A step is one letter and its payload; steps are separated by 0x1e, and 0x1f cuts a payload into what
arrives in one read each. `@@` in what a client sends becomes a token that no other request has; in
what an upstream sends it becomes the token of the request that came to it last.

    0 1 2  be this client from now on        a f g  accept, refuse, accept and close a connection
    c      the client sends                  [ ]    be another upstream connection
    e x    it half-closes, or goes away      u      the upstream sends
    k      it reads                          w v    it answers well, or breaks off and closes
    t      time passes                       z y    it closes, or resets
    d r s  drain, new rules, sweep           o      it reads
    h      closes are told late, or at once again
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from typing import Final

from proxy.routing.side import Side
from proxy.snapshot import Snapshot
from proxy.upstream.fake import FakeTransport, turn
from tests.fuzz.mutate import RECORD
from tests.fuzz.witnesses import Seen, requests_by_llhttp
from tests.support_exchange import Client, Scene
from tests.support_routing import plain, route, rules

PIECES: Final = b"\x1f"
CLIENTS: Final = 3
STEPS_MAX: Final = 60
UNREAD_MAX: Final = 3_000
"""Bytes that a client leaves unread before the proxy is told that it is slow."""

_TOKEN: Final = re.compile(rb"T0K[0-9a-f]{8}")
_WAITS: Final = (0.5, 11.0, 31.0, 80.0)
_CONNECT_TIMEOUT: Final = 2.0


@cache
def _snapshot(variant: int) -> Snapshot:
    """Rules with every kind of route; the variants differ in their pools and the kill switch."""
    routes = [
        route("/l/*", "l", weight="0%", mirror={"share": "100%"}),
        route("/m/*", "m", weight="100%"),
        route("/n/*", "n", weight="100%", fallback=False),
        route("/p/*", "p", weight="50%", sticky_by=["cookie:PHPSESSID", "client_ip"]),
        route("/s/*", "s", weight="100%", sticky_by=["cookie:PHPSESSID", "mint"]),
    ]
    upstreams = {
        side.value: {
            "instances": [f"http://{side.value}.test:81"],
            "max_connections": 3 - variant % 2,
        }
        for side in Side
    }
    others = {"upstreams": upstreams, "allowed_headers": ["a_b"]}
    return Snapshot(
        variant + 1, plain(*routes, **others), rules(*routes, **others), kill_switch=variant == 2
    )


class Caller:
    """A client, with what it has sent so far, and whether it went away by itself."""

    def __init__(self, scene: Scene) -> None:
        self.client: Final[Client] = scene.client(high_water=UNREAD_MAX)
        self.delivered = bytearray()
        self.left = False
        self.ended = False
        self._backlog: list[bytes] = []

    @property
    def transport(self) -> FakeTransport:
        """The proxy's end of the connection."""
        return self.client.transport

    @property
    def gone(self) -> bool:
        """Whether its connection is at its end."""
        return self.ended or self.transport.closing or self.transport.eof_written

    def send(self, data: bytes) -> None:
        """Send one read's worth, as soon as the proxy reads."""
        if data and not self.ended:
            self._backlog.append(data)
            self.flush()

    def flush(self) -> None:
        """Let arrive what may."""
        transport = self.transport
        while self._backlog and transport.is_reading() and not transport.closing:
            data = self._backlog.pop(0)
            self.delivered += data
            transport.receive(data)

    def act(self, letter: bytes) -> None:
        """Read; or close for sending, once everything has been sent; or go away without a word."""
        if letter == b"k":
            self.client.received()
        elif letter == b"e" and not (self.ended or self.transport.closing or self._backlog):
            self.ended = True
            self.transport.end()
        elif letter == b"x" and not self.transport.closing:
            self.left = True
            self.transport.lose(ConnectionResetError())


class Callee:
    """One connection of an upstream, with the requests that came on it."""

    def __init__(self, transport: FakeTransport) -> None:
        self.transport: Final = transport
        self.spoiled = 0
        self.said = b""
        self._answered = 0
        self._open_ended = False
        self._backlog: list[bytes] = []

    def seen(self) -> list[Seen]:
        """Give the requests that have come so far."""
        return requests_by_llhttp(bytes(self.transport.sent), tunnels=True)

    def token(self) -> bytes:
        """Give the token of the request that came last."""
        seen = self.seen()
        found = _TOKEN.search(seen[-1].target) if seen else None
        return found[0] if found else b"none"

    def send(self, data: bytes) -> None:
        """Send one read's worth, as soon as the proxy reads."""
        if data:
            self._backlog.append(data)
            self.flush()

    def flush(self) -> None:
        """Let arrive what may."""
        while self._backlog and self.transport.is_reading() and not self.transport.closing:
            data = self._backlog.pop(0)
            self.said += data
            self.transport.receive(data)

    def say(self, payload: bytes) -> None:
        """Send whatever a script says, unless it would only lengthen a good answer."""
        if self._open_ended:
            return
        self.spoiled = len(self.seen())
        for piece in payload.replace(b"@@", self.token()).split(PIECES):
            self.send(piece)

    @property
    def owes(self) -> bool:
        """Whether a request has come that has not been answered well."""
        return len(self.seen()) > self._answered

    def answer(self, payload: bytes) -> bytes:
        """Give a good answer to the last request, whose first octet says how it is framed."""
        seen = self.seen()
        if not seen or self._answered == len(seen):
            return b""
        self._answered = len(seen)
        self._open_ended = payload[:1] in (b"2", b"3")
        kind, body = payload[:1] or b"0", payload[1:]
        lines = [b"X-Echo: " + self.token()]
        if self.spoiled != len(seen):
            lines.append(b"X-Sum: " + checksum(self.token(), body))
        return _framed(
            max(b"01234".find(kind), 0), lines, body, head_only=seen[-1].method == b"HEAD"
        )

    def break_off(self, payload: bytes) -> None:
        """Send the first octets of a good answer, as many as the first octet says, and close."""
        at, kind = payload[0] if payload else 0, payload[1:2]
        self.send(self.answer(payload[1:])[:at])
        # Nobody can tell an end from a break where a close is the end: only a reset is a break.
        self.lose(ConnectionResetError() if at > 127 or kind not in (b"0", b"1") else None)

    def lose(self, error: Exception | None) -> None:
        """End the connection; what the proxy has not read is lost, and that is a reset."""
        if not self.transport.closing:
            self.transport.lose(ConnectionResetError() if self._backlog else error)


def checksum(token: bytes, body: bytes) -> bytes:
    """Give what proves that this body was answered to the request with this token."""
    return blake2b(token + b"\n" + body, digest_size=8, key=b"fuzz").hexdigest().encode()


def _framed(kind: int, lines: list[bytes], body: bytes, *, head_only: bool) -> bytes:
    status = b"HTTP/1.0 200 OK" if kind == 3 else b"HTTP/1.1 200 OK"
    match kind:
        case 1:
            lines = [*lines, b"Transfer-Encoding: chunked"]
            chunks = [b"%x;x\r\n%b\r\n" % (len(part), part) for part in body.split(b" ") if part]
            # What the chunks hold is what the sum is of.
            lines = [line for line in lines if not line.startswith(b"X-Sum")]
            body = b"".join([*chunks, b"0\r\nX-T: 1\r\n\r\n"])
        case 2 | 3:
            pass
        case 4:
            lines = [*lines, b"Content-Length: %d" % len(body), b"Connection: close"]
        case _:
            lines = [*lines, b"Content-Length: %d" % len(body), b"Set-Cookie: a=b"]
    return b"\r\n".join([status, *lines, b"", b"" if head_only else body])


class Play:
    """One script on one plane."""

    def __init__(self) -> None:
        self.scene: Final = Scene()
        self.callers: Final[list[Caller]] = []
        self.callees: Final[dict[FakeTransport, Callee]] = {}
        self._variant = 0
        self._tokens = 0
        self._caller = 0
        self._seats: Final[dict[int, Caller]] = {}
        self._callee = 0
        self._settles = True
        self._longest = 0
        self.scene.plane.apply(_snapshot(0))

    async def run(self, script: bytes) -> None:
        """Play all steps, then let time pass until everything has ended by itself."""
        for step in script.split(RECORD)[:STEPS_MAX]:
            await self.step(step[:1], step[1:])
        await self.end()

    async def step(self, letter: bytes, payload: bytes = b"") -> None:
        """Play one step, and let the event loop run; an unknown letter is a pause."""
        await self._do(letter, payload)
        await self._turn()

    async def _do(self, letter: bytes, payload: bytes) -> None:
        number = payload[0] if payload else 0
        match letter:
            case b"0" | b"1" | b"2":
                self._caller = int(letter)
            case b"c":
                caller = self._current()
                for piece in self._with_tokens(payload).split(PIECES):
                    self._longest = max(self._longest, len(piece))
                    caller.send(piece)
            case b"e" | b"x" | b"k" if self._caller in self._seats:
                self._seats[self._caller].act(letter)
            case b"a" | b"f" | b"g":
                await self._connect(letter, number)
            case b"[" | b"]":
                self._callee += 1 if letter == b"]" else -1
            case b"t":
                await self._wait(_WAITS[number % len(_WAITS)])
            case b"d":
                self.scene.plane.draining = True
                for downstream in tuple(self.scene.live):
                    downstream.drain()
            case b"r":
                self._variant = (self._variant + 1) % 3
                self.scene.plane.apply(_snapshot(self._variant))
            case b"s":
                for pool in self.scene.plane.pools.values():
                    pool.sweep(self.scene.clock.monotonic())
            case b"h":
                self._settles = not self._settles
            case _:
                self._upstream_step(letter, payload)

    def _upstream_step(self, letter: bytes, payload: bytes) -> None:
        callee = self._chosen()
        if callee is None:
            return
        self._longest = max(self._longest, len(payload))
        match letter:
            case b"u":
                callee.say(payload)
            case b"w":
                body, _, pieces = payload.partition(PIECES)
                answer = callee.answer(body)
                at = pieces[0] if pieces else len(answer)
                callee.send(answer[:at])
                callee.send(answer[at:])
            case b"v":
                callee.break_off(payload)
            case b"z":
                callee.lose(None)
            case b"y":
                callee.lose(ConnectionResetError())
            case b"o":
                callee.transport.take()

    async def _wait(self, seconds: float) -> None:
        """Let time pass; what has not connected by then is given up, as the real connector does."""
        for network in self.scene.network.values():
            while network.pending and seconds >= _CONNECT_TIMEOUT:
                await network.refuse(TimeoutError())
        self.scene.wait(seconds)

    async def _connect(self, letter: bytes, number: int) -> None:
        sides = [side for side in Side if self.scene.network[side].pending]
        if not sides:
            return
        network = self.scene.network[sides[number % len(sides)]]
        match letter:
            case b"f":
                await network.refuse(TimeoutError() if number > 99 else None)
            case b"g":
                await network.accept_and_close()
            case _:
                await network.accept()

    def _current(self) -> Caller:
        """The client whose turn it is; who was sent away, or left, comes again."""
        caller = self._seats.get(self._caller)
        if caller is None or caller.gone:
            caller = self._seats[self._caller] = Caller(self.scene)
            self.callers.append(caller)
        return caller

    def _chosen(self) -> Callee | None:
        """The connection that upstream steps are about: the one that was asked last, or a turn."""
        open_ones = [one for one in self.callees.values() if not one.transport.closing]
        return open_ones[(self._callee - 1) % len(open_ones)] if open_ones else None

    def _with_tokens(self, payload: bytes) -> bytes:
        def token(_: re.Match[bytes]) -> bytes:
            self._tokens += 1
            return b"T0K" + blake2b(b"%d" % self._tokens, digest_size=4).hexdigest().encode()

        return re.sub(rb"@@", token, _TOKEN.sub(b"forged", payload))

    async def _turn(self) -> None:
        """Let the event loop run: connections come up, closes are told, what waits is read."""
        await turn()
        for network in self.scene.network.values():
            for transport in network.transports:
                if transport not in self.callees:
                    self.callees[transport] = Callee(transport)
        if self._settles:
            for transport in self._transports():
                transport.settle()
        for caller in self.callers:
            caller.flush()
        for callee in self.callees.values():
            callee.flush()
        self._check_memory()

    def _transports(self) -> Iterator[FakeTransport]:
        yield from (caller.transport for caller in self.callers)
        yield from tuple(self.callees)

    def _check_memory(self) -> None:
        """Say that what is kept for a slow peer is bounded by what came in one read."""
        for caller in self.callers:
            unread = caller.transport.get_write_buffer_size()
            assert unread <= UNREAD_MAX + 140_000 + 2 * self._longest, unread

    @property
    def connecting(self) -> bool:
        """Whether the proxy is opening a connection to an upstream."""
        return any(network.pending for network in self.scene.network.values())

    @property
    def connected(self) -> bool:
        """Whether any upstream has a connection."""
        return self._chosen() is not None

    @property
    def asked(self) -> bool:
        """Whether the upstream whose turn it is owes an answer."""
        callee = self._chosen()
        return callee is not None and callee.owes

    async def end(self) -> None:
        """Do nothing more: deadlines must end all exchanges and all connections."""
        self._settles = True
        heads = sum(bytes(caller.delivered).count(b"HTTP/1") for caller in self.callers)
        for _ in range(8 + 4 * heads):
            if not self.scene.live:
                break
            await self._wait(41.0)
            await self._turn()
        for _ in range(3):  # a tunnel may be silent for longer
            if self.scene.live:
                await self._wait(4000.0)
                await self._turn()
        assert not self.scene.live, "a client's connection outlives every deadline"
        await self._wait(_CONNECT_TIMEOUT)  # a client may have left before
        await self._turn()
        assert all(caller.client.downstream.exchange is None for caller in self.callers)
        self.scene.check_nothing_is_left()
