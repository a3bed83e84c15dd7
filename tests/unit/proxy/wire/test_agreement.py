"""Two other parsers read what we write: the upstream sees exactly the request that we understood.

The strategies are built of the pieces that parsers have disagreed about. `corpus/` holds whole
messages that are tried first, and in every run; add what was found in the wild or by a longer run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import h11
import httptools
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from proxy.wire.chunked import LAST_CHUNK, chunk
from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.forwarding import Peer, write_request
from proxy.wire.framing import CHUNKED
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.parser import END, RequestParser, ResponseParser
from tests.support_wire import cut, request_events, response_events

CORPUS = Path(__file__).parent / "corpus"
Test = TypeVar("Test", bound=Callable[..., Any])


def corpus(kind: str, *more: object) -> Callable[[Test], Test]:
    """Try every message of a kind before generated ones."""

    def decorate(test: Test) -> Test:
        for path in sorted((CORPUS / kind).iterdir()):
            test = example(path.read_bytes(), *more)(test)
        return test

    return decorate


METHODS = st.sampled_from(
    [b"GET", b"POST", b"HEAD", b"PUT"] * 5 + [b"BREW", b"get", b"", b"OPTIONS"]
)
TARGETS = st.one_of(
    st.sampled_from([b"/", b"/a?b", b"http://h/", b"/%41/../b", b"//", b"/;", b"/a"]),
    st.lists(
        st.sampled_from([b"/", b".", b"..", b"a", b"%41", b"?", b";", b"%2e", b"%2f", b"#", b"\\"]),
        max_size=4,
    ).map(lambda parts: b"/a/" + b"".join(parts)),
)  # fmt: skip
VERSIONS = st.sampled_from([b"HTTP/1.1"] * 30 + [b"HTTP/1.0"] * 3 + [b"HTTP/1.2", b"http/1.1"])
FRAMINGS = st.sampled_from(
    [b"Content-Length: 5", b"content-length:5 ", b"Transfer-Encoding: chunked",
    b"Content-Length: 0",
     b"Transfer-Encoding: Chunked", b"TRANSFER-ENCODING:\tchunked\t"] * 3
    + [b"Content-Length: 05", b"Content-Length: 5, 5", b"Transfer-Encoding: gzip, chunked",
       b"Transfer-Encoding : chunked", b"Content_Length: 7", b"Transfer.Encoding: chunked"]
)  # fmt: skip
NAMES = st.sampled_from(
    [b"A", b"a_b", b"TE", b"Upgrade", b"X-Forwarded-For", b"Content_Length", b"Trailer", b"Cookie",
     b"Connection", b"Proxy", b"Keep-Alive"] * 3
    + [b"Host", b"Content-Length", b"Transfer-Encoding", b"Expect", b"A ", b" A", b""]
)  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [b"h", b"5", b"0", b"chunked", b"close", b"keep-alive, a", b"trailers", b"h2c", b"",
        b" x\t",
         b"\xff", b"websocket", b"100-continue", b"a, b"] * 3
        + [b"content-length", b"\x00", b"a\rb", b"a\nb", b"a\r\n b"]
    ),
    st.binary(max_size=3),
)  # fmt: skip
LINE_ENDS = st.sampled_from([b"\r\n"] * 200 + [b"\n", b"\r", b"\r\r\n"])
BODIES = st.one_of(
    st.sampled_from(
        [b"", b"abcde", b"5\r\nabcde\r\n0\r\n\r\n", b"2;x\r\nab\r\n3\r\ncde\r\n0\r\nT: 1\r\n\r\n",
         b"5 \r\nabcde\r\n0\r\n\r\n", b"0\r\n\r\n", b"GET / HTTP/1.1\r\nHost: h\r\n\r\n",
         b"0\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", b"5\nabcde\n0\n\n"]
    ),
    st.binary(max_size=20),
)  # fmt: skip


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Write one or two messages that are almost requests."""
    raw = b""
    for _ in range(draw(st.integers(1, 2))):
        raw += b" ".join([draw(METHODS), draw(TARGETS), draw(VERSIONS)]) + draw(LINE_ENDS)
        if draw(st.integers(0, 30)):
            raw += b"Host: h" + draw(LINE_ENDS)
        for framing in draw(st.lists(FRAMINGS, max_size=1)):
            raw += framing + draw(LINE_ENDS)
        for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=4)):
            raw += name + b":" + value + draw(LINE_ENDS)
        raw += draw(LINE_ENDS) + draw(BODIES)
    return raw


STATUSES = st.sampled_from(
    [b"200 OK", b"200", b"204 No", b"304 Not", b"103 Hints", b"100 Go"] * 3 + [b"999 X", b"101 Up"]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Write one or two messages that are almost answers."""
    raw = b""
    for _ in range(draw(st.integers(1, 2))):
        raw += draw(VERSIONS) + b" " + draw(STATUSES) + draw(LINE_ENDS)
        for framing in draw(st.lists(FRAMINGS, max_size=1)):
            raw += framing + draw(LINE_ENDS)
        for name, value in draw(st.lists(st.tuples(NAMES, VALUES), max_size=3)):
            raw += name + b":" + value + draw(LINE_ENDS)
        raw += draw(LINE_ENDS) + draw(BODIES)
    return raw


CUTS = st.lists(st.integers(0, 400), max_size=6)


@dataclass
class Seen:
    """One message as some parser understood it; names in small letters."""

    method: bytes = b""
    target: bytes = b""
    fields: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    complete: bool = False


def rewritten(raw: bytes) -> tuple[list[Seen], bytes]:
    """Do as the proxy does: give what it understood, and the bytes that an upstream receives."""
    parser, peer = RequestParser(), Peer("192.0.2.1", 80)
    parser.receive(raw)
    understood: list[Seen] = []
    out, head = b"", None
    try:
        while (event := parser.next()) is not None:
            if isinstance(event, RequestHead):
                head = event
                out_head = write_request(head, peer.provenance(head), b"id", b"trace", frozenset())
                understood.append(Seen(head.method.encode(), head.target, _fields(out_head)))
                out += out_head
            elif event is END:
                understood[-1].complete = True
                out += LAST_CHUNK if head is not None and head.length == CHUNKED else b""
                parser.restart()
            else:
                piece = bytes(event)
                understood[-1].body += piece
                out += chunk(piece) if head is not None and head.length == CHUNKED else piece
    except RequestError:
        pass
    return understood, out


def _fields(head: bytes) -> list[tuple[bytes, bytes]]:
    lines = head.split(b"\r\n")[1:-2]
    pairs = [line.partition(b": ") for line in lines]
    return [(name.lower(), value) for name, _, value in pairs]


def by_h11(raw: bytes) -> list[Seen]:
    """Read the requests of a connection with h11."""
    connection, seen = h11.Connection(h11.SERVER, max_incomplete_event_size=65_536), list[Seen]()
    connection.receive_data(raw)
    while True:
        event = connection.next_event()
        match event:
            case h11.Request():
                fields = [(bytes(name), bytes(value)) for name, value in event.headers]
                seen.append(Seen(bytes(event.method), bytes(event.target), fields))
            case h11.Data():
                seen[-1].body += bytes(event.data)
            case h11.EndOfMessage():
                seen[-1].complete = True
                connection.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
                connection.send(h11.EndOfMessage())
                connection.start_next_cycle()
            case _:
                return seen


class _Listener:
    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.parser: Any = None

    def on_message_begin(self) -> None:
        self.seen.append(Seen())

    def on_url(self, url: bytes) -> None:
        self.seen[-1].target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self.seen[-1].fields.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self.seen[-1].method = self.parser.get_method()

    def on_body(self, body: bytes) -> None:
        self.seen[-1].body += body

    def on_message_complete(self) -> None:
        self.seen[-1].complete = True


def by_llhttp(raw: bytes) -> list[Seen]:
    """Read the requests of a connection with llhttp."""
    listener = _Listener()
    listener.parser = httptools.HttpRequestParser(listener)
    listener.parser.feed_data(raw)
    return [seen for seen in listener.seen if seen.target]


@settings(max_examples=400, deadline=None)
@given(requests())
@corpus("requests")
def test_upstream_reads_what_we_understood(raw: bytes) -> None:
    """What is accepted is written so that h11 and llhttp read the same requests, and no more."""
    understood, out = rewritten(raw)
    assert by_h11(out) == understood
    assert by_llhttp(out) == understood


@settings(max_examples=300, deadline=None)
@given(requests(), CUTS)
@corpus("requests", [1, 7, 30])
def test_requests_in_any_split(raw: bytes, points: list[int]) -> None:
    """The same bytes are the same requests, or the same refusal, however they come."""
    assert request_events(cut(raw, points)) == request_events([raw])


@settings(max_examples=300, deadline=None)
@given(answers(), CUTS, st.sampled_from(["GET", "HEAD"]))
@corpus("answers", [1, 7, 30], "GET")
def test_answers_in_any_split(raw: bytes, points: list[int], method: str) -> None:
    """The same bytes are the same answer, or the same error, however they come."""
    whole = response_events([raw], method, closed=True)
    assert response_events(cut(raw, points), method, closed=True) == whole


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.binary(max_size=300), requests(), answers()), CUTS)
def test_no_other_exception(raw: bytes, points: list[int]) -> None:
    """Any bytes, in either direction, end in events or in an error of the wire."""
    for parser in (RequestParser(), ResponseParser("GET")):
        with contextlib.suppress(RequestError, ResponseError):
            for piece in cut(raw, points):
                parser.receive(piece)
                while parser.next() is not None:
                    pass


@settings(max_examples=400, deadline=None)
@given(answers(), st.sampled_from([b"GET", b"HEAD"]))
@corpus("answers", b"GET")
def test_h11_reads_the_same_answer(raw: bytes, method: bytes) -> None:
    """An answer that we accept is one that h11 reads in the same way, to the same last byte."""
    ours = _answer(raw, method.decode())
    if ours is not None:
        assert _answer_by_h11(raw, method) == ours


def _answer(raw: bytes, method: str) -> tuple[int, bytes, bool, int] | None:
    """Status, body, whether complete, and surplus of a final answer; None if we refuse it."""
    parser = ResponseParser(method)
    parser.receive(raw)
    status, body = 0, b""
    try:
        while (event := parser.next()) is not None:
            if isinstance(event, ResponseHead):
                status = event.status
                if status == 101:  # the exchange refuses it, h11 too
                    return None
            elif event is not END:
                body += bytes(event)
    except ResponseError:
        return None
    complete = parser.ended or parser.finish() is END
    return (status, body, complete, parser.waiting if complete else 0) if status >= 200 else None


def _answer_by_h11(raw: bytes, method: bytes) -> tuple[int, bytes, bool, int]:
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target=b"/", headers=[("Host", "h")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(raw)
    status, body, closed = 0, b"", False
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError:
            assert closed, "h11 refuses what we accept"
            return status, body, False, 0
        match event:
            case h11.Response():
                status = event.status_code
            case h11.Data():
                body += bytes(event.data)
            case h11.EndOfMessage():
                return status, body, True, len(connection.trailing_data[0])
            case h11.NEED_DATA:
                closed = True
                connection.receive_data(b"")
            case _:
                pass


def test_corpus_is_read() -> None:
    """The corpus is where the tests look for it."""
    assert len(list((CORPUS / "requests").iterdir())) >= 10
    assert len(list((CORPUS / "answers").iterdir())) >= 8


@pytest.mark.parametrize(
    "path", sorted((CORPUS / "requests").iterdir()), ids=lambda path: path.name
)
def test_corpus_of_requests(path: Path) -> None:
    """The name of each message says what becomes of it: `accepted-N`, or `refused-STATUS`."""
    verdict, number, *_ = path.stem.split("-")
    events = request_events([path.read_bytes()])
    if verdict == "refused":
        assert events[-1] == ("refused", int(number))
    else:
        assert [event[0] for event in events].count("end") == int(number)
        assert events[-1][0] == "end"
