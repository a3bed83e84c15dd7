from __future__ import annotations

import h11
import httptools
import pytest

from proxy.wire.chunked import chunk, last_chunk
from proxy.wire.trailers import announced, may_trail

MAY = [
    b"X-Checksum", b"Server-Timing", b"ETag", b"Digest", b"Content-Digest", b"Grpc-Status",
    b"grpc-message", b"x",
]  # fmt: skip

MAY_NOT = [
    b"Content-Length", b"Transfer-Encoding", b"Trailer", b"TE", b"Connection", b"Upgrade", b"Host",
    b"Location", b"Set-Cookie", b"Cookie", b"Authorization", b"WWW-Authenticate",
    b"Authentication-Info", b"Proxy-Authenticate", b"Proxy-Anything", b"Content-Type",
    b"Content-Encoding", b"Content-Range", b"Content-Security-Policy", b"Cache-Control", b"Expect",
    b"If-None-Match", b"Range", b"Vary", b"Retry-After", b"Date", b"Age", b"Max-Forwards",
    b"X-Forwarded-For", b"Forwarded", b"Via", b"X-Request-Id", b"traceparent", b"Cutover-Side",
    b"Cutover-Anything", b"Access-Control-Allow-Origin", b"Sec-WebSocket-Accept",
    b"Strict-Transport-Security", b"X-Accel-Redirect",
]  # fmt: skip


@pytest.mark.parametrize("name", MAY)
def test_harmless_names(name: bytes) -> None:
    """What is known only behind the body may come there."""
    assert may_trail(name)


@pytest.mark.parametrize("name", MAY_NOT)
def test_names_that_never_pass(name: bytes) -> None:
    """What frames, routes, authenticates or describes never passes, in no spelling."""
    for spelling in (name, name.upper(), name.replace(b"-", b"_"), name.replace(b"-", b".")):
        assert not may_trail(spelling)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ([b"A"], b"Trailer: A\r\n"),
        ([b" A ,\tb", b"C"], b"Trailer: A, b, C\r\n"),
        ([b"A, a, A"], b"Trailer: A\r\n"),
        ([b"A, Content-Length, Host, B"], b"Trailer: A, B\r\n"),
        ([b"A,,B, ,"], b"Trailer: A, B\r\n"),
        ([b"A B, C: 1, D"], b"Trailer: D\r\n"),
    ],
)
def test_announcement(values: list[bytes], line: bytes) -> None:
    """Names that may pass are announced anew, each once, in their order."""
    found = announced(values)
    assert found is not None
    assert found.line == line


@pytest.mark.parametrize("values", [[], [b""], [b" , "], [b"Host"], [b"Set-Cookie, te"]])
def test_nothing_to_announce(values: list[bytes]) -> None:
    """Where nothing may pass, nothing is said of trailers."""
    assert announced(values) is None


def test_what_was_announced_passes() -> None:
    """Of the lines that came, those announced go on, in their order and number, written anew."""
    found = announced([b"a, B, Host"])
    assert found is not None
    lines = [b"A:  1 ", b"b: 2", b"c: 3", b"Host: x", b"a: 4", b"not a field"]
    assert found.pick(lines) == b"A: 1\r\nb: 2\r\na: 4\r\n"
    assert found.pick([]) == b""


def test_h11_reads_what_is_written() -> None:
    """Another parser finds the body and the trailers that were meant."""
    found = announced([b"X-Sum"])
    assert found is not None
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method="GET", target="/", headers=[("Host", "h")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(
        b"HTTP/1.1 200 OK\r\n" + found.line + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunk(b"abc") + last_chunk(found.pick([b"X-Sum: 6", b"Host: evil"]))
    )  # fmt: skip
    response, data, end = (connection.next_event() for _ in range(3))
    assert isinstance(response, h11.Response)
    assert dict(response.headers)[b"trailer"] == b"X-Sum"
    assert isinstance(data, h11.Data)
    assert bytes(data.data) == b"abc"
    assert isinstance(end, h11.EndOfMessage)
    assert list(end.headers) == [(b"x-sum", b"6")]


def test_llhttp_reads_what_is_written() -> None:
    """So does a third one, which tells trailers as it tells fields."""
    found = announced([b"X-Sum"])
    assert found is not None
    seen: list[bytes] = []

    class Listener:
        def on_header(self, name: bytes, value: bytes) -> None:
            seen.append(name + b"=" + value)

        def on_body(self, body: bytes) -> None:
            seen.append(body)

        def on_message_complete(self) -> None:
            seen.append(b"end")

    httptools.HttpResponseParser(Listener()).feed_data(
        b"HTTP/1.1 200 OK\r\n" + found.line + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunk(b"abc") + last_chunk(found.pick([b"X-Sum: 6", b"Host: evil"]))
    )  # fmt: skip
    assert seen == [
        b"Trailer=X-Sum", b"Transfer-Encoding=chunked", b"abc", b"X-Sum=6", b"end",
    ]  # fmt: skip
