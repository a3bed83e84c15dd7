from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.fields import folded
from proxy.wire.forwarding import (
    CONTINUE,
    Peer,
    forwarded_lines,
    request_id,
    traceparent,
    write_interim,
    write_own,
    write_request,
    write_response,
    write_switching,
)
from proxy.wire.framing import NO_BODY
from proxy.wire.path_rewrite import PathRewrite
from proxy.wire.rewriting import Edits, Rewriting
from tests.support_wire import read_request_head, read_response_head, request_events

NOBODY: frozenset[bytes] = frozenset()


def _head(*fields: bytes, line: bytes = b"GET /a HTTP/1.1") -> bytes:
    return b"\r\n".join([line, b"Host: h", *fields, b"", b""])


def _written(
    *fields: bytes, line: bytes = b"GET /a HTTP/1.1", allowed: frozenset[bytes] = NOBODY
) -> bytes:
    head = read_request_head(_head(*fields, line=line))
    return write_request(head, b"P: 1\r\n", b"ID", b"TRACE", allowed)


@pytest.mark.parametrize(
    ("fields", "line", "expected"),
    [
        ((), b"GET /a HTTP/1.1", b""),
        ((b"A: 1", b"TE: x", b"B: 2"), b"GET /a HTTP/1.1", b"A: 1\r\nB: 2\r\n"),
        ((b"A: 1", b"a: 2", b"A: 1"), b"GET /a HTTP/1.0", b"A: 1\r\na: 2\r\nA: 1\r\n"),
        ((b"x_y: 1", b"X-Y: 2"), b"GET /a HTTP/1.1", b"X-Y: 2\r\n"),
        ((b"Connection: b", b"A: 1", b"B: 2"), b"GET /a HTTP/1.1", b"A: 1\r\n"),
    ],
)
def test_request_fields(fields: tuple[bytes, ...], line: bytes, expected: bytes) -> None:
    """What is meant for the upstream goes on in its order, behind one Host."""
    assert _written(*fields, line=line) == (
        b"GET /a HTTP/1.1\r\nHost: h\r\n" + expected + b"P: 1\r\nX-Request-Id: ID\r\n"
        b"traceparent: TRACE\r\n\r\n"
    )


def test_allowed_names() -> None:
    """Of names that PHP would fold, those that the rules allow pass, in their place."""
    written = _written(b"A: 1", b"x_y: 2", b"x.y: 3", b"X_Y: 4", allowed=frozenset({b"x_y"}))
    assert b"Host: h\r\nA: 1\r\nx_y: 2\r\nX_Y: 4\r\nP: 1\r\n" in written


def test_allowing_cannot_let_ours_through() -> None:
    """Allowing a name does not make a spelling of ours harmless."""
    names = frozenset({b"cutover_side", b"x_forwarded_for", b"content_length"})
    written = _written(*(name + b": 1" for name in names), allowed=names)
    assert b"_" not in written


@pytest.mark.parametrize(
    ("fields", "method", "framing"),
    [
        ((b"Content-Length: 5",), b"GET", b"Content-Length: 5\r\n"),
        ((b"content-length:5",), b"POST", b"Content-Length: 5\r\n"),
        ((b"Content-Length: 0",), b"GET", b""),
        ((b"Content-Length: 0",), b"POST", b"Content-Length: 0\r\n"),
        ((), b"PUT", b"Content-Length: 0\r\n"),
        ((), b"DELETE", b""),
        ((b"Transfer-Encoding: CHUNKED",), b"DELETE", b"Transfer-Encoding: chunked\r\n"),
    ],
)
def test_request_framing(fields: tuple[bytes, ...], method: bytes, framing: bytes) -> None:
    """The framing of a request is ours, in one canonical spelling."""
    written = _written(*fields, line=method + b" /a HTTP/1.1")
    assert b"Host: h\r\nP: 1\r\n" + framing + b"X-Request-Id" in written


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("answer", "request_line", "close", "expected", "chunked"),
    [
        (OK + b"Content-Length: 5\r\nA: 1\r\n\r\n", b"GET /a HTTP/1.1", False,
         OK + b"A: 1\r\nE: 1\r\nContent-Length: 5\r\n\r\n", False),
        (OK + b"Content-Length: 5\r\n\r\n", b"GET /a HTTP/1.1", True,
         OK + b"E: 1\r\nContent-Length: 5\r\nConnection: close\r\n\r\n", False),
        (OK + b"Content-Length: 5\r\n\r\n", b"GET /a HTTP/1.0", False,
         OK + b"E: 1\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n", False),
        (OK + b"\r\n", b"GET /a HTTP/1.1", False,
        OK + b"E: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
         True),
        (OK + b"\r\n", b"GET /a HTTP/1.0", True, OK + b"E: 1\r\nConnection: close\r\n\r\n", False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", b"GET /a HTTP/1.0", True,
         OK + b"E: 1\r\nConnection: close\r\n\r\n", False),
        (OK + b"Content-Length: 5\r\n\r\n", b"HEAD /a HTTP/1.1", False,
         OK + b"E: 1\r\nContent-Length: 5\r\n\r\n", False),
        (OK + b"\r\n", b"HEAD /a HTTP/1.1", False, OK + b"E: 1\r\n\r\n", False),
        (b"HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n", b"GET /a HTTP/1.1", False,
         b"HTTP/1.1 204 No\r\nE: 1\r\n\r\n", False),
        (b"HTTP/1.0 304\r\nContent-Length: 5\r\n\r\n", b"GET /a HTTP/1.1", False,
         b"HTTP/1.1 304 \r\nE: 1\r\nContent-Length: 5\r\n\r\n", False),
        (OK + b"Trailer: A, Host\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET /a HTTP/1.1", False,
         OK + b"E: 1\r\nTrailer: A\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (OK + b"Trailer: A\r\nTransfer-Encoding: chunked\r\n\r\n", b"GET /a HTTP/1.0", True,
         OK + b"E: 1\r\nConnection: close\r\n\r\n", False),
        (OK + b"Trailer: A\r\n\r\n", b"GET /a HTTP/1.1", False,
         OK + b"E: 1\r\nTransfer-Encoding: chunked\r\n\r\n", True),
        (OK + b"Trailer: A\r\nContent-Length: 5\r\n\r\n", b"GET /a HTTP/1.1", False,
         OK + b"E: 1\r\nContent-Length: 5\r\n\r\n", False),
        (OK + b"Trailer: A\r\nTransfer-Encoding: chunked\r\n\r\n", b"HEAD /a HTTP/1.1", False,
         OK + b"E: 1\r\n\r\n", False),
    ],
)  # fmt: skip
def test_response(
    answer: bytes, request_line: bytes, close: bool, expected: bytes, chunked: bool
) -> None:
    """An answer's head is written for its client: fields, what we say, our framing."""
    request = read_request_head(_head(line=request_line))
    head = read_response_head(answer, request.method)
    assert write_response(head, request, b"E: 1\r\n", close) == (expected, chunked)


def test_websocket_is_asked_for_in_our_words() -> None:
    """A request for a tunnel says so by our own fields; its Sec-WebSocket-* pass as they are."""
    written = _written(
        b"connection: keep-alive, X-Hop, upgrade", b"uPGRADE: WebSocket", b"X-Hop: 1",
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"sec-websocket-version: 13",
    )  # fmt: skip
    assert written == (
        b"GET /a HTTP/1.1\r\nHost: h\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        b"sec-websocket-version: 13\r\nP: 1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"X-Request-Id: ID\r\ntraceparent: TRACE\r\n\r\n"
    )


def test_switching() -> None:
    """A 101 passes with its own fields, without framing, in our words."""
    head = read_response_head(
        b"HTTP/1.1 101 Switching\r\nupgrade: WebSocket\r\nconnection: upgrade, x\r\nX: 1\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nContent-Length: 0\r\n\r\n"
    )
    assert write_switching(head, b"E: 1\r\n") == (
        b"HTTP/1.1 101 Switching\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nE: 1\r\n"
        b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )


def test_expectation_is_passed_on_when_asked() -> None:
    """Expect goes to the upstream in one spelling, and only as long as the client waits."""
    head = read_request_head(
        _head(b"Content-Length: 5", b"expect: 100-Continue", line=b"POST /a HTTP/1.1")
    )
    for expect in (True, False):
        written = write_request(head, b"", b"ID", b"TRACE", NOBODY, expect=expect)
        assert (b"Content-Length: 5\r\nExpect: 100-continue\r\n" in written) is expect
        assert written.lower().count(b"expect") == expect


def test_interim() -> None:
    """An interim answer passes without framing and without the fields of one hop."""
    head = read_response_head(
        b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\nX: 1\r\n"
        b"Content-Length: 5\r\n\r\n"
    )
    assert write_interim(head) == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    assert CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"


@pytest.mark.parametrize(
    "status", [400, 404, 405, 408, 413, 414, 417, 429, 431, 501, 502, 503, 504, 505]
)
@pytest.mark.parametrize("close", [False, True])
@pytest.mark.parametrize("head_only", [False, True])
def test_own_answers(status: int, close: bool, head_only: bool) -> None:
    """Our own answers are complete, say why in one sentence, and are kept by no cache."""
    raw = write_own(status, "grün & why", close=close, head_only=head_only, extra=b"X: 1\r\n")
    head = read_response_head(raw, "HEAD" if head_only else "GET")
    body = raw.partition(b"\r\n\r\n")[2]
    assert head.status == status
    assert head.get(b"cache-control") == b"no-store"
    assert head.get(b"x") == b"1"
    assert head.keep_alive is not close
    assert (head.get(b"allow") is not None) is (status == 405)
    assert (head.get(b"retry-after") is not None) is (status in (429, 503))
    if head_only:
        assert not body
    else:
        assert (head.length, body.decode().endswith(": grün & why\n")) == (len(body), True)


def test_own_answers_say_when_to_come_again() -> None:
    """In whole seconds (RFC 9110, 10.2.3)."""
    raw = write_own(429, "slower", close=False, retry_after=17)
    assert read_response_head(raw).get(b"retry-after") == b"17"


REWRITING = Rewriting(
    path=PathRewrite(b"/api", b"/v2"),
    host=b"inner.test",
    request=Edits(["X-Env", "A"], [("X-Env", "prod")], fold=True),
)


def test_a_rewritten_request() -> None:
    """Line, Host and fields are those of its side; our account and our framing stay."""
    head = read_request_head(
        _head(b"a: 1", b"x_env: 2", b"B: 3", b"Content-Length: 4", line=b"POST /api/x?y HTTP/1.1")
    )
    written = write_request(head, b"P: 1\r\n", b"ID", b"TRACE", {b"x_env"}, rewriting=REWRITING)
    assert written == (
        b"POST /v2/x?y HTTP/1.1\r\nHost: inner.test\r\nB: 3\r\nX-Env: prod\r\nP: 1\r\n"
        b"Content-Length: 4\r\nX-Request-Id: ID\r\ntraceparent: TRACE\r\n\r\n"
    )


def test_a_rewritten_answer() -> None:
    """Its lines are what they have been rewritten to; status, our words and framing stay."""
    request = read_request_head(_head())
    head = read_response_head(OK + b"A: 1\r\nContent-Length: 5\r\n\r\n")
    written, _ = write_response(head, request, b"E: 1\r\n", False, fields=b"B: 2\r\n")
    assert written == OK + b"B: 2\r\nE: 1\r\nContent-Length: 5\r\n\r\n"
    assert write_interim(head, b"B: 2\r\n") == OK + b"B: 2\r\n\r\n"


@given(
    st.lists(
        st.tuples(
            st.sampled_from([b"A", b"x-env", b"X_Env", b"X.ENV", b"b-c", b"Cookie"]),
            st.binary(max_size=12).filter(lambda v: re.fullmatch(rb"[!-~\x80-\xff]*", v)),
        ),
        max_size=8,
    ),
    st.sampled_from([b"/api", b"/api/x?q", b"/apiary", b"/", b"*", b"/api/%2A?http://h/api"]),
    st.booleans(),
)
def test_a_rewritten_request_is_one_request(
    fields: list[tuple[bytes, bytes]], target: bytes, allow: bool
) -> None:
    """Our own strict parser reads it back as one, with what was set and nothing of the client's."""
    method = b"OPTIONS" if target == b"*" else b"GET"
    lines = [b"%b: %b" % field for field in fields]
    head = read_request_head(_head(*lines, line=b"%b %b HTTP/1.1" % (method, target)))
    allowed = frozenset({b"x_env", b"x.env"}) if allow else NOBODY
    written = write_request(head, b"", b"ID", b"TRACE", allowed, rewriting=REWRITING)
    (kind, *_, host, length, _, _), end = request_events([written])
    again = read_request_head(written)
    assert (kind, end, host, length) == ("request", ("end",), b"inner.test", NO_BODY)
    assert again.target == REWRITING.target(target)
    assert [f.value for f in again.fields if folded(f.name) == b"x-env"] == [b"prod"]
    assert again.get(b"a") is None


# Who asks


@pytest.mark.parametrize(
    ("trusted", "fields", "origin"),
    [
        (False, (b"X-Forwarded-Proto: https", b"X-Forwarded-Host: x"), (b"http", b"h")),
        (True, (), (b"http", b"h")),
        (True, (b"X-Forwarded-Proto: HTTPS",), (b"https", b"h")),
        (True, (b"X-Forwarded-Proto: https, http",), (b"https", b"h")),
        (True, (b"X-Forwarded-Proto: gopher",), (b"http", b"h")),
        (True, (b"X-Forwarded-Host: a.test:8443 , b",), (b"http", b"a.test:8443")),
        (True, (b"X-Forwarded-Host: a/b",), (b"http", b"h")),
        (True, (b"X-Forwarded-Host: u@a",), (b"http", b"h")),
        (True, (b"X-Forwarded-Host:",), (b"http", b"h")),
    ],
)
def test_origin(trusted: bool, fields: tuple[bytes, ...], origin: tuple[bytes, bytes]) -> None:
    """Where the client thinks it is, as a trusted peer may say, if it is a scheme and a host."""
    head = read_request_head(_head(*fields))
    assert Peer("10.0.0.1", 80, trusted=trusted).origin(head) == origin


def _provenance(peer: Peer, *fields: bytes) -> list[str]:
    return peer.provenance(read_request_head(_head(*fields))).decode().split("\r\n")


def test_untrusted_peer() -> None:
    """What a stranger says about his way is replaced by what we see."""
    peer = Peer("192.0.2.1", 8080)
    said = (b"X-Forwarded-For: 1.1.1.1", b"Forwarded: for=x", b"Via: 1.0 x", b"X-Real-IP: 1.1.1.1")
    expected = [
        "X-Forwarded-For: 192.0.2.1", "X-Forwarded-Proto: http", "X-Forwarded-Host: h",
        "X-Forwarded-Port: 8080", 'Forwarded: for=192.0.2.1;host="h";proto=http',
        "Via: 1.1 cutover", "",
    ]  # fmt: skip
    assert _provenance(peer, *said) == expected
    assert _provenance(peer) == expected


def test_another_host_on_the_same_connection() -> None:
    """What was written for one host is not used for another."""
    peer = Peer("192.0.2.1", 8080)
    for host in (b"a", b"b", b"a"):
        head = read_request_head(b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
        assert b'host="' + host + b'"' in peer.provenance(head)
        assert b"X-Forwarded-Host: " + host in peer.provenance(head)


def test_ipv6_peer() -> None:
    """An IPv6 address is quoted and bracketed where the syntax wants it (RFC 7239, 6)."""
    said = _provenance(Peer("2001:db8::1", 80, scheme=b"https"))
    assert said[0] == "X-Forwarded-For: 2001:db8::1"
    assert said[4] == 'Forwarded: for="[2001:db8::1]";host="h";proto=https'


def test_trusted_peer() -> None:
    """What a trusted peer says is kept, with us appended, and its other fields pass."""
    said = _provenance(
        Peer("10.0.0.1", 80, trusted=True),
        b"X-Forwarded-For: 1.1.1.1 , 2.2.2.2", b"X-Forwarded-For:", b"X-Forwarded-For: 3.3.3.3",
        b"X-Forwarded-Proto: https", b"X-Real-IP: 1.1.1.1", b"x_real_ip: 9.9.9.9", b"A: 1",
    )  # fmt: skip
    assert said == [
        "X-Forwarded-For: 1.1.1.1 , 2.2.2.2, 3.3.3.3, 10.0.0.1", "X-Forwarded-Proto: https",
        "X-Forwarded-Host: h", "X-Forwarded-Port: 80",
        'Forwarded: for=10.0.0.1;host="h";proto=http', "Via: 1.1 cutover", "X-Real-IP: 1.1.1.1", "",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("trusted", "fields", "address"),
    [
        (False, (b"X-Forwarded-For: 1.1.1.1",), b"10.0.0.1"),
        (True, (), b"10.0.0.1"),
        (True, (b"X-Forwarded-For: 1.1.1.1",), b"1.1.1.1"),
        (True, (b"X-Forwarded-For: 6.6.6.6, 1.1.1.1",), b"1.1.1.1"),
        (True, (b"X-Forwarded-For: 6.6.6.6, 1.1.1.1, 10.0.0.2",), b"1.1.1.1"),
        (True, (b"X-Forwarded-For: 6.6.6.6", b"X-Forwarded-For: 1.1.1.1, 10.0.0.2"), b"1.1.1.1"),
        (True, (b"X-Forwarded-For: 10.0.0.3, 10.0.0.2",), b"10.0.0.3"),
        (True, (b"X-Forwarded-For: 1.1.1.1, evil, 10.0.0.2",), b"10.0.0.2"),
        (True, (b"X-Forwarded-For: evil",), b"10.0.0.1"),
        (True, (b"X-Forwarded-For: ,",), b"10.0.0.1"),
        (True, (b"X-Forwarded-For: 2001:db8::1",), b"2001:db8::1"),
    ],
)
def test_client_address(trusted: bool, fields: tuple[bytes, ...], address: bytes) -> None:
    """The client is the right-most entry that no trusted peer accounts for."""
    peer = Peer("10.0.0.1", 80, trusted=trusted)
    head = read_request_head(_head(*fields))
    assert peer.client_address(head, lambda text: text.startswith("10.")) == address


@pytest.mark.parametrize(
    ("value", "trusted", "taken"),
    [
        (b"a-1_2.3:4/5+6=7@8", True, True), (b"a", False, False), (b"x" * 128, True, True),
        (b"x" * 129, True, False), (b"a b", True, False), (b'a"', True, False), (b"", True, False),
    ],
)  # fmt: skip
def test_request_id(value: bytes, trusted: bool, taken: bool) -> None:
    """A trusted peer names the request, if the name is harmless wherever it is printed."""
    head = read_request_head(_head(b"X-Request-Id: " + value))
    assert request_id(head, trusted) == (value if taken else None)


TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("value", "taken"),
    [
        (TRACE, True), (b"cc" + TRACE[2:], True), (b"ff" + TRACE[2:], False),
        (TRACE.upper(), False),
        (TRACE + b"-x", False), (TRACE[:-1], False), (b"00-" + b"0" * 32 + TRACE[35:], False),
        (TRACE[:36] + b"0" * 16 + b"-01", False), (b"", False),
    ],
)  # fmt: skip
def test_traceparent(value: bytes, taken: bool) -> None:
    """A valid trace context is taken (W3C Trace Context, 3.2), another one is not."""
    head = read_request_head(_head(b"traceparent: " + value))
    assert traceparent(head) == (value if taken else None)


def test_nothing_said() -> None:
    """A request without an id or a trace context has none."""
    head = read_request_head(_head())
    assert request_id(head, trusted=True) is None
    assert traceparent(head) is None


def test_forwarded_lines() -> None:
    """What is mirrored is what was meant for the upstream, with the names that the rules allow."""
    block = read_request_head(
        _head(b"A: 1", b"x_y: 2", b"X-Real-IP: 3", b"Content-Length: 4")
    ).block
    assert forwarded_lines(block, frozenset()) == b"A: 1\r\n"
    assert forwarded_lines(block, {b"x_y"}) == b"A: 1\r\nx_y: 2\r\n"
    plain = read_request_head(_head(b"A: 1")).block
    assert forwarded_lines(plain, {b"x_y"}) == b"A: 1\r\n"
