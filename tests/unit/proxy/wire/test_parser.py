from __future__ import annotations

import pytest

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.parser import END, HEAD_MAX, INTERIM_MAX, RequestParser, ResponseParser
from proxy.wire.target import LINE_MAX
from tests.hostile_requests import REFUSED_BODIES, REFUSED_HEADS
from tests.support_wire import (
    SPLITS,
    cut,
    every_split,
    request_events,
    response_events,
)

GET = b"GET /a HTTP/1.1\r\nHost: h\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nabcde"
CHUNKED = (
    b"PUT /c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: 1\r\n\r\n"
)
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcde"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def kinds(events: list[tuple[object, ...]]) -> list[object]:
    """Say in short what a parser said."""
    at = {"request": 2, "response": 1, "data": 1, "refused": 1, "surplus": 1}
    return [event[at.get(str(event[0]), 0) if len(event) > 1 else 0] for event in events]


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (GET, ["/a", "end"]),
        (POST, ["/b", b"abcde", "end"]),
        (CHUNKED, ["/c", b"abcde", "end"]),
        (GET + POST + CHUNKED + GET, ["/a", "end", "/b", b"abcde", "end", "/c", b"abcde", "end",
                                      "/a", "end"]),
        (b"\r\n" + GET + b"\r\n" + POST, ["/a", "end", "/b", b"abcde", "end"]),
        (GET + b"\r\n\r\n" + GET, ["/a", "end", 400]),
        (GET + b"GET", ["/a", "end"]),
        (POST[:-1], ["/b", b"abcd"]),
        (b"", []),
        (b"\r\n", []),
        (b"\r", []),
    ],
)  # fmt: skip
def test_requests(raw: bytes, said: list[object]) -> None:
    """Requests come out in order, each with its payload and its end, in every split."""
    for pieces in every_split(raw):
        assert kinds(request_events(pieces)) == said


@pytest.mark.parametrize(
    ("raw", "status"),
    [case[1:] for case in (*REFUSED_HEADS, *REFUSED_BODIES) if case[2] != 413],
    ids=[case[0] for case in (*REFUSED_HEADS, *REFUSED_BODIES) if case[2] != 413],
)
def test_refused_in_every_split(raw: bytes, status: int) -> None:
    """A request is refused with the same status however it was split."""
    splits = [split(raw) for split in SPLITS.values()] if len(raw) > 500 else every_split(raw)
    for pieces in splits:
        events = request_events(pieces)
        assert events[-1] == ("refused", status)


@pytest.mark.parametrize(
    ("raw", "refused"),
    [
        (b"GET /" + b"a" * (LINE_MAX - 4), False), (b"GET /" + b"a" * (LINE_MAX - 3), True),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (HEAD_MAX - 16), False),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * (HEAD_MAX - 15), True),
        (b"GET / HTTP/1.1\nX", True), (b"GET / HTTP/1.1\r\nX: 1\n", True),
        (b"GET / HTTP/1.1\rX", True),
        (b"GET / HTTP/1.1\r\nX: 1\r", False), (b"BREW / HTTP/1.1\r\n", True), (b"\r\n\r\n", True),
    ],
)  # fmt: skip
def test_refused_before_it_is_complete(raw: bytes, refused: bool) -> None:
    """What no further byte can mend is refused at once, and nothing else is."""
    parser = RequestParser()
    parser.receive(raw)
    if refused:
        with pytest.raises(RequestError):
            parser.next()
    else:
        assert parser.next() is None


def test_largest_head() -> None:
    """A head of exactly the limit is taken in every split; one byte more is not."""
    start = b"GET / HTTP/1.1\r\nHost: h\r\nX: "
    for more, event in ((0, "request"), (1, "refused")):
        raw = start + b"a" * (HEAD_MAX - len(start) + more) + b"\r\n\r\n"
        for pieces in ([raw], [raw[:-3], raw[-3:]], [raw[:-1], raw[-1:]], cut(raw, [9, 20_000])):
            assert request_events(pieces)[0][0] == event
        raw = b"HTTP/1.1 200 OK\r\nX: " + b"a" * (HEAD_MAX - 20 + more) + b"\r\n\r\n"
        for pieces in ([raw], [raw[:-3], raw[-3:]], [raw[:-1], raw[-1:]], cut(raw, [9, 20_000])):
            assert response_events(pieces)[0][0] == ("response" if not more else "refused")


def test_waiting() -> None:
    """The next request waits until the parser is told to go on."""
    parser = RequestParser()
    parser.receive(GET + GET)
    assert parser.next() is not None
    assert parser.next() is END
    assert parser.next() is None
    assert (parser.ended, parser.waiting) == (True, len(GET))
    parser.restart()
    assert parser.next() is not None
    assert parser.waiting == 0


# Answers


@pytest.mark.parametrize(
    ("raw", "method", "closed", "said"),
    [
        (OK, "GET", False, [200, b"abcde", "end", 0]),
        (OK + b"x", "GET", False, [200, b"abcde", "end", 1]),
        (OK[:-1], "GET", False, [200, b"abcd"]),
        (OK[:-1], "GET", True, [200, b"abcd"]),
        (OK, "HEAD", False, [200, "end", 5]),
        (HINTS + HINTS + OK, "GET", False, [103, 103, 200, b"abcde", "end", 0]),
        (HINTS, "GET", True, [103]),
        (HINTS * INTERIM_MAX + OK, "GET", False, [103] * 8 + [200, b"abcde", "end", 0]),
        (HINTS * (INTERIM_MAX + 1), "GET", False, [103] * 8 + ["refused"]),
        (b"HTTP/1.1 204 No\r\n\r\n", "GET", False, [204, "end", 0]),
        (b"HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n", "GET", False, [304, "end", 0]),
        (b"HTTP/1.1 200\r\n\r\nabc", "GET", False, [200, b"abc"]),
        (b"HTTP/1.1 200\r\n\r\nabc", "GET", True, [200, b"abc", "end", 0]),
        (b"HTTP/1.1 200\r\n\r\n", "GET", True, [200, "end", 0]),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\nHTTP", "GET", False,
         [200, b"a", "end", 4]),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n", "GET", True, [200, b"a"]),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx", "GET", True, [200,
        b"a"]),
        (b"HTTP/1.1 200\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\nx\r\n", "GET", True,
         [200, b"a", "refused"]),
        (b"HTTP/1.1 2", "GET", True, []),
        (b"", "GET", True, []),
    ],
)  # fmt: skip
def test_answers(raw: bytes, method: str, closed: bool, said: list[object]) -> None:
    """One answer comes out, interim ones before it, surplus is seen, no end is invented."""
    for pieces in every_split(raw):
        assert kinds(response_events(pieces, method, closed=closed)) == said


@pytest.mark.parametrize(
    "raw",
    [
        b"X", b"HTTP/2", b"HTTP/1.2 200 OK\r\n", b"HTTP/1.1 99 X\r\n", b"\r\n",
        b"HTTP/1.1 200 OK\nX",
        b"HTTP/1.1 200 OK\r\nX: 1\rY", b"HTTP/1.1 200 OK\r\nX: " + b"a" * HEAD_MAX,
        b"HTTP/1.1 200 OK\r\nX : 1\r\n\r\n", b"HTTP/1.1 200 OK\r\n" + b"X: 1\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)  # fmt: skip
def test_bad_answers(raw: bytes) -> None:
    """An answer that breaks HTTP is refused at once, in every split."""
    splits = [split(raw) for split in SPLITS.values()] if len(raw) > 500 else every_split(raw)
    for pieces in splits:
        assert response_events(pieces) == [("refused",)]


@pytest.mark.parametrize(
    ("raw", "started"), [(b"", False), (b"H", True), (HINTS, True), (OK, True), (OK[:20], True)]
)
def test_started(raw: bytes, started: bool) -> None:
    """An answer has begun with its first byte, interim answers included."""
    parser = ResponseParser("GET")
    if raw:
        parser.receive(raw)
    while parser.next() is not None:
        pass
    assert parser.started is started


def test_finish_is_for_bodies_without_a_length() -> None:
    """A close ends nothing but a body that has no other end."""
    parser = ResponseParser("GET")
    parser.receive(OK[:-1])
    parser.next()
    assert not parser.until_close
    assert parser.finish() is None
    parser = ResponseParser("GET")
    assert parser.finish() is None
    parser.receive(b"HTTP/1.1 200\r\n\r\n")
    parser.next()
    assert parser.until_close
    assert parser.finish() is END
    assert parser.finish() is None


def test_nothing_after_an_error() -> None:
    """A refused answer stays refused."""
    parser = ResponseParser("GET")
    parser.receive(b"X")
    for _ in range(2):
        with pytest.raises(ResponseError):
            parser.next()
