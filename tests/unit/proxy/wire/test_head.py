from __future__ import annotations

import pytest

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE
from proxy.wire.head import FIELDS_MAX, HEAD_LONGEST, read_request, read_response
from tests.hostile_requests import REFUSED_HEADS


def request(*fields: bytes, line: bytes = b"GET / HTTP/1.1") -> bytes:
    """Write a head as `read_request` takes it."""
    return b"\r\n".join([line, b"Host: h", *fields])


def response(*fields: bytes, line: bytes = b"HTTP/1.1 200 OK") -> bytes:
    """Write a head as `read_response` takes it."""
    return b"\r\n".join([line, *fields])


def test_request() -> None:
    """A head says everything a proxy needs."""
    head = read_request(request(b"Content-Length: 5", b"A: 1", line=b"POST /a/../b?c HTTP/1.1"))
    assert (head.method, head.path, head.target, head.minor) == ("POST", "/b", b"/b?c", 1)
    assert (head.host, head.length, head.keep_alive) == (b"h", 5, True)
    assert (head.get(b"a"), head.get(b"b")) == (b"1", None)
    assert not head.expects_continue


def test_first_of_repeated_fields() -> None:
    """Of a repeated field the first value is given."""
    assert read_request(request(b"A: 1", b"a: 2")).get(b"a") == b"1"
    assert read_response(response(b"A: 1", b"a: 2"), "GET").get(b"a") == b"1"


@pytest.mark.parametrize(
    ("minor", "fields", "keeps"),
    [
        (1, (), True), (0, (), False), (1, (b"Connection: close",), False),
        (0, (b"Connection: keep-alive",), True), (1, (b"Connection: Keep-Alive, CLOSE",), False),
        (0, (b"Connection: close", b"Connection: keep-alive"), False),
        (0, (b"Connection: x , Keep-Alive",), True), (1, (b"Connection: closed",), True),
    ],
)  # fmt: skip
def test_keep_alive(minor: int, fields: tuple[bytes, ...], keeps: bool) -> None:
    """Connections persist in both directions by the same rule."""
    line = b"GET / HTTP/1.%d" % minor
    assert read_request(request(*fields, line=line)).keep_alive is keeps
    line = b"HTTP/1.%d 200 OK" % minor
    assert read_response(response(*fields, line=line), "GET").keep_alive is keeps


def test_the_same_block_under_another_line() -> None:
    """What depends on the first line is decided anew for a block that was seen before."""
    fields = (b"Transfer-Encoding: chunked", b"Connection: keep-alive")
    assert read_request(request(*fields)).length == CHUNKED
    with pytest.raises(RequestError):
        read_request(request(*fields, line=b"GET / HTTP/1.0"))
    assert read_request(request(*fields)).length == CHUNKED
    length = b"Content-Length: 5"
    assert read_response(response(length), "GET").length == 5
    assert read_response(response(length), "HEAD").length == NO_BODY
    assert read_response(response(length, line=b"HTTP/1.1 304 Not"), "GET").length == NO_BODY
    assert read_response(response(length), "GET").length == 5


@pytest.mark.parametrize(
    ("fields", "line", "expects"),
    [
        ((b"Expect: 100-continue", b"Content-Length: 5"), b"POST / HTTP/1.1", True),
        ((b"expect: 100-Continue", b"Transfer-Encoding: chunked"), b"POST / HTTP/1.1", True),
        ((b"Expect: 100-continue", b"Content-Length: 0"), b"POST / HTTP/1.1", False),
        ((b"Expect: 100-continue",), b"GET / HTTP/1.1", False),
        ((b"Expect: 100-continue", b"Content-Length: 5"), b"POST / HTTP/1.0", False),
    ],
)
def test_expectation(fields: tuple[bytes, ...], line: bytes, expects: bool) -> None:
    """Only a client of HTTP/1.1 with a body to send waits for 100."""
    assert read_request(request(*fields, line=line)).expects_continue is expects


def test_nominated_fields_are_gone() -> None:
    """Fields that Connection names are no part of the head, in either direction."""
    fields = (b"X-Hop: 1", b"Connection: x-hop, cookie", b"Cookie: a", b"X-Stays: 1")
    for head in (read_request(request(*fields)), read_response(response(*fields), "GET")):
        assert head.get(b"x-hop") is None
        assert head.get(b"cookie") is None
        assert head.get(b"x-stays") == b"1"
        assert b"X-Hop" not in head.block.forwarded


def test_nominated_framing_of_an_answer_stays() -> None:
    """An answer cannot lose its framing by naming it in Connection."""
    head = read_response(response(b"Connection: content-length", b"Content-Length: 5"), "GET")
    assert head.length == 5


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        case[1:]
        for case in REFUSED_HEADS
        if case[1].count(b"\r\n\r\n") == 1 and len(case[1]) < 32_000 and case[2] != 413
    ],
)
def test_refused_request(raw: bytes, status: int) -> None:
    """A head that the running proxy refuses is refused here, with the same status."""
    with pytest.raises(RequestError) as refusal:
        read_request(raw.partition(b"\r\n\r\n")[0])
    assert refusal.value.status == status


@pytest.mark.parametrize("number", [FIELDS_MAX, FIELDS_MAX + 1])
def test_number_of_fields(number: int) -> None:
    """As many fields as the limit are taken, and not one more."""
    fields = [b"A: 1"] * number
    if number <= FIELDS_MAX:
        assert len(read_request(request(*fields[1:])).fields) == number
        assert len(read_response(response(*fields), "GET").fields) == number
        return
    with pytest.raises(RequestError) as refusal:
        read_request(request(*fields[1:]))
    assert refusal.value.status == 431
    with pytest.raises(ResponseError):
        read_response(response(*fields), "GET")


def test_malformed_before_unexpected() -> None:
    """A broken line is told before an expectation: it may have been seen before it."""
    with pytest.raises(RequestError) as refusal:
        read_request(request(b"Expect: x", b"A : 1"))
    assert refusal.value.status == 400


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (b"timeout=5", 5.0), (b"timeout=5, max=100", 5.0), (b"max=100, Timeout=15", 15.0),
        (b"timeout = 5", None), (b"timeout=", None), (b"timeout=x", None), (b"timeout=-5", None),
        (b"timeout=123456", None), (b"timeout=\xb2", None), (b"", None), (b"timeout=0", 0.0),
    ],
)  # fmt: skip
def test_idle_hint(value: bytes, hint: float | None) -> None:
    """How long the upstream keeps an idle connection is read where it says so plainly."""
    assert read_response(response(b"Keep-Alive: " + value), "GET").idle_hint == hint


def test_response() -> None:
    """An answer's head says everything a proxy needs."""
    head = read_response(response(b"A: 1", line=b"HTTP/1.0 404 Not \xfc"), "GET")
    assert (head.status, head.reason, head.minor, head.length) == (404, b"Not \xfc", 0, UNTIL_CLOSE)
    assert (head.declared, head.keep_alive, head.idle_hint) == (None, False, None)
    assert head.get(b"a") == b"1"
    assert read_response(b"HTTP/1.1 200", "GET").reason == b""


def test_long_blocks() -> None:
    """A block too long to be remembered is read like any other."""
    fields = [b"A: " + b"x" * 1000] * (HEAD_LONGEST // 1000 + 1)
    for _ in range(2):
        assert len(read_request(request(*fields)).fields) == len(fields) + 1
