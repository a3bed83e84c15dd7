"""Any order of events: clients, upstreams and the clock, as hypothesis likes it.

The fuzzer's scripts (`tests/fuzz/play.py`) mix bytes; here each step is one that a peer, the
network or an operator may really take, and what breaks is shrunk to the fewest of them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.fuzz.play import Play
from tests.fuzz.targets import exchange

ROUTES = st.sampled_from([b"l", b"m", b"n", b"p", b"s", b"none"])
METHODS = st.sampled_from([b"GET", b"GET", b"HEAD", b"POST", b"PUT"])
FIELDS = st.sampled_from(
    [
        b"",
        b"Connection: close\r\n",
        b"Cookie: PHPSESSID=7\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
    ]
)
BODIES = st.sampled_from(
    [b"\r\n", b"\r\n", b"\r\n", b"Content-Length: 5\r\n\r\nab\x1fcde",
     b"Content-Length: 5\r\n\r\nab",
     b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n\x1f0\r\n\r\n",
     b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
     b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\nab", b"Content-Length: -1\r\n\r\n"]
)  # fmt: skip
ANSWERED = st.tuples(
    st.sampled_from([b"0", b"1", b"2", b"3", b"4"]),
    st.sampled_from([b"", b"some words", b"x" * 5000]),
    st.sampled_from([b"", b"\x1f\x01", b"\x1f\x30", b"\x1f\x80"]),
).map(b"".join)
HOSTILE = st.sampled_from(
    [b"HTTP/1.1 200 OK\r\nX-Echo: @@\r\nContent-Length: 2\r\n\r\nhi" * 2,
     b"HTTP/1.1 103 Hints\r\nLink: x\r\n\r\n", b"HTTP/1.1 101 Go\r\n\r\n",
     b"HTTP/1.1 101 Go\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\ndown",
     b"HTTP/1.1 100 Go\r\n\r\n",
     b"HTTP/1.1 500 Oh\r\nX-Echo: @@\r\nContent-Length: 0\r\n\r\n", b"nonsense\r\n\r\n", b"more",
     b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
     b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", b"-1\r\n"]
)  # fmt: skip

Step = tuple[bytes, bytes]
"""A letter of `tests.fuzz.play`, and its payload."""

CLIENT_STEPS = st.sampled_from(
    [(b"0", b""), (b"1", b""), (b"2", b""), (b"k", b""), (b"e", b""), (b"x", b""), (b"c", b"cde"),
     (b"c", b"0\r\n\r\n"), (b"c", b"\r\n"), (b"c", b"nonsense")]
)  # fmt: skip
UPSTREAM_STEPS = st.one_of(
    st.tuples(st.just(b"u"), HOSTILE),
    st.tuples(st.sampled_from([b"z", b"y", b"o", b"[", b"]"]), st.just(b"")),
)
OTHER_STEPS = st.sampled_from(
    [(b"t", b"0"), (b"t", b"1"), (b"t", b"2"), (b"t", b"3"), (b"r", b""), (b"s", b""), (b"h", b""),
     (b"d", b"")]
)  # fmt: skip


class Plane(RuleBasedStateMachine):
    """One data plane, three clients, and upstreams that keep the protocol or do not."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.new_event_loop()
        self._failures: list[dict[str, Any]] = []
        self._loop.set_exception_handler(lambda _, context: self._failures.append(context))

    @initialize()
    def begin(self) -> None:
        """Begin with rules and nobody connected."""
        self._play = Play()

    def _step(self, letter: bytes, payload: bytes = b"") -> None:
        self._loop.run_until_complete(self._play.step(letter, payload))

    @rule(
        method=METHODS, route=ROUTES, minor=st.sampled_from([b"1", b"1", b"0"]), fields=FIELDS,
        body=BODIES,
    )  # fmt: skip
    def a_client_asks(
        self, method: bytes, route: bytes, minor: bytes, fields: bytes, body: bytes
    ) -> None:
        """Send a request, or the beginning of one."""
        line = b"%b /%b/@@ HTTP/1.%b\r\n" % (method, route, minor)
        self._step(b"c", line + b"Host: shop\r\n" + fields + body)

    @rule(step=CLIENT_STEPS)
    def a_client_does_something_else(self, step: Step) -> None:
        """Go on sending, read, close for sending, go away, or let another one have its turn."""
        self._step(*step)

    @precondition(lambda self: self._play.connecting)
    @rule(what=st.sampled_from([b"a", b"a", b"a", b"f", b"g"]), which=st.binary(max_size=1))
    def the_network_decides(self, what: bytes, which: bytes) -> None:
        """Let a connection be made, be refused, or be made and closed at once."""
        self._step(what, which)

    @precondition(lambda self: self._play.connecting or self._play.asked)
    @rule(answer=ANSWERED)
    def everything_goes_well(self, answer: bytes) -> None:
        """Let a connection be made if one is waited for, and the request on it be answered."""
        self._step(b"a")
        self._step(b"w", answer)

    @precondition(lambda self: self._play.asked)
    @rule(answer=ANSWERED, at=st.none() | st.integers(0, 255))
    def an_upstream_answers(self, answer: bytes, at: int | None) -> None:
        """Answer well, or break off after so many octets."""
        self._step(*((b"w", answer) if at is None else (b"v", bytes((at,)) + answer)))

    @precondition(lambda self: self._play.connected)
    @rule(step=UPSTREAM_STEPS)
    def an_upstream_does_something_else(self, step: Step) -> None:
        """Send what nobody asked for, close, read, or let another one have its turn."""
        self._step(*step)

    @rule(step=OTHER_STEPS)
    def something_else_happens(self, step: Step) -> None:
        """Let time pass, get new rules, sweep the pools, hear of closes late, or drain."""
        self._step(*step)

    def teardown(self) -> None:
        """Let everything end, and look at what each side has seen."""
        try:
            if hasattr(self, "_play"):
                self._loop.run_until_complete(self._play.end())
                exchange.judge(self._play)
            assert not self._failures, self._failures
        finally:
            self._loop.close()


Plane.TestCase.settings = settings(
    max_examples=60,
    stateful_step_count=30,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)
TestPlane = Plane.TestCase
