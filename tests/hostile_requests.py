"""Requests that must be refused: one table for the parser's tests and for the running proxy.

Each case is (what is wrong, bytes, status). Heads that are refused reach no upstream.
"""

from __future__ import annotations

from typing import Final

Case = tuple[str, bytes, int]


def _head(line: bytes, *fields: bytes, host: bool = True) -> bytes:
    lines = [line, *([b"Host: h"] if host else []), *fields, b"", b""]
    return b"\r\n".join(lines)


def _get(*fields: bytes, host: bool = True) -> bytes:
    return _head(b"GET /l/x HTTP/1.1", *fields, host=host)


def _post(*fields: bytes, body: bytes = b"abcde") -> bytes:
    return _head(b"POST /l/x HTTP/1.1", *fields) + body


def _targets(status: int, *targets: bytes) -> list[Case]:
    return [
        (f"target {target!r}", _head(b"GET %b HTTP/1.1" % target), status) for target in targets
    ]


_FRAMING: Final[list[Case]] = [
    *(
        (f"Transfer-Encoding {value!r}", _post(b"Transfer-Encoding:" + value), status)
        for status, values in (
            (
                400,
                (
                    b" chunked, chunked", b" gzip, chunked", b" chunked, gzip", b" ,chunked",
                    b" identity, chunked", b" chunked,", b' "chunked"', b" xchunked", b" chunkedx",
                    b" chunked;q=1", b"", b" ", b" chunked\x00", b" \x0bchunked", b" \x0cchunked",
                    b" chun\tked", b" cow, gzip", b" ch\xc3\xbcnked", b"\r\n chunked",
                    b" chunked\r\nTransfer-Encoding: chunked",
                    b" chunked\r\nTransfer-Encoding: identity",
                    b" identity\r\nTransfer-Encoding: chunked",
                    b" chunked\r\nContent-Length: 5", b" chunked\r\ncontent-length: 0",
                    b" gzip\r\nContent-Length: 5",
                ),
            ),
            (501, (b" gzip", b" identity", b" x-gzip", b" cow", b" deflate")),
        )
        for value in values
    ),
    ("Content-Length before TE", _post(b"Content-Length: 5", b"Transfer-Encoding: chunked"), 400),
    (
        "TE on HTTP/1.0",
        _head(b"POST /l/x HTTP/1.0", b"Transfer-Encoding: chunked") + b"0\r\n\r\n",
        400,
    ),
    *(
        (f"Content-Length {value!r}", _post(b"Content-Length:" + value), 400)
        for value in (
            b" 5, 5", b" 5,5", b" 5\r\nContent-Length: 5", b" 5\r\nContent-Length: 6", b" +5",
            b" -0", b" -5", b" 0x5", b" 5_0", b" 1e3", b" 010", b" 00", b" 5 5", b" 5;", b" 5.0",
            b"", b" ", b" \xd9\xa5", b" \xb2", b" 18446744073709551615", b" 18446744073709551621",
            b" 9999999999999999999", b" five", b" 5\x00",
        )
    ),
    ("a body beyond the limit", _post(b"Content-Length: 268435457", body=b""), 413),
    ("a body far beyond the limit", _post(b"Content-Length: 999999999999999999", body=b""), 413),
]  # fmt: skip

_FIELDS: Final[list[Case]] = [
    (f"field line {line!r}", _get(line), 400)
    for line in (
        b"X-A: 1\rX-B: 2", b"X-A: 1\nX-B: 2", b"X-A: 1\n", b"X-A: 1\r", b"X-A: 1\r\n folded",
        b"X-A: 1\r\n\tfolded", b" X-A: 1", b"\tX-A: 1", b"X-A: a\x00b", b"X-A: a\x01b",
        b"X-A: a\x1fb", b"X-A: a\x7fb", b"X-A : 1", b"X-A\t: 1", b"X-A", b": 1", b":", b"X A: 1",
        b"X(A): 1", b"X\x00A: 1", b"X\xc3\xa4: 1", b"X@A: 1", b"X[A]: 1", b'"X": 1', b"X/A: 1",
        b"Transfer-Encoding : chunked", b"Content-Length : 5", b"\x0bHost: x", b"X-A: \r1",
    )
]  # fmt: skip

_HOSTS: Final[list[Case]] = [
    ("no Host", _get(host=False), 400),
    ("no Host in HTTP/1.0", _head(b"GET /l/x HTTP/1.0", host=False), 400),
    *(
        (f"Host {value!r}", _get(b"Host:" + value, host=False), 400)
        for value in (
            b"", b" ", b" a\r\nHost: a", b" a\r\nHost: b", b" a\r\nhost: b", b" a, b", b" a,b",
            b" u@h", b" u:p@h", b" h/path", b" h:port", b" h:", b" h:123456", b" [::1", b" ::1",
            b" [::1]x", b" a b", b" a%00b", b" a%2fb", b" h\\", b" http://h", b" h?x", b" h#x",
            b' "h"', b" <h>", b" h|x", b" \xc3\xa4", b" a\x00b", b" " + b"h" * 256,
        )
    ),
    (
        "absolute-form with another Host",
        _head(b"GET http://other/l/x HTTP/1.1"),
        400,
    ),
    ("absolute-form with another port", _head(b"GET http://h:81/l/x HTTP/1.1"), 400),
    ("absolute-form without Host", _head(b"GET http://h/l/x HTTP/1.1", host=False), 400),
]  # fmt: skip

_TARGETS: Final[list[Case]] = [
    *_targets(
        400,
        b"*", b"h:80", b"h", b"l/x", b"?q", b"http://u@h/l/x", b"http:///l/x", b"http://", b"ftp://h/l",
        b"http:/h/l", b"http:h", b"http://h\\l", b"http://h#f", b"/l/x#f", b"/l/x?q#f", b"/l/ x",
        b"/l/x y", b"/l/\\x", b"/l\\x", b'/l/"', b"/l/<x>", b"/l/{x}", b"/l/|", b"/l/^", b"/l/`",
        b"/l/[x]", b"/l/%zz", b"/l/%", b"/l/%1", b"/l/%g1", b"/l/%%30", b"/l/%u0041", b"/l/%00",
        b"/l/a%00b", b"/l%2fx", b"/l%2Fx", b"/l%5cx", b"/l%5Cx", b"/%2e%2e/l/x", b"/l/%2e/x",
        b"/l/.%2e/x", b"/l/%2E%2E", b"/l/%2e", b"/l/..%2fx", b"/..;/l", b"/l/..;a=b/x", b"/l/.;/x",
        b"/l/..;", b"/l/%2e%2e;/x", b"/..", b"/../l", b"/l/../../x", b"/./../l", b"/l/..//../../x",
        b"/l/%c0%af", b"/l/%C0%AF", b"/l/%c1%9c", b"/l/%e0%80%af", b"/l/%e0%9f%bf",
        b"/l/%f0%80%80%af", b"/l/%f8%80%80%80%af", b"/l/%fc%80%80%80%80%af", b"/l/\xc3\xa4",
        b"/l/\x00", b"/l/\x7f", b"/l/x?\xc3\xa4", b'/l/x?"', b"/l/x?<", b"/l/x?>", b"/l/x?\\",
        b"/l/x?a\x00", b"", b" /l/x", b"/l/x ",
    ),
    ("OPTIONS with a relative target", _head(b"OPTIONS x HTTP/1.1"), 400),
    ("POST *", _head(b"POST * HTTP/1.1"), 400),
    ("a tab for a space", _head(b"GET\t/l/x HTTP/1.1"), 400),
    ("CONNECT", _head(b"CONNECT h:443 HTTP/1.1"), 405),
    ("TRACE", _head(b"TRACE /l/x HTTP/1.1"), 405),
    ("an unknown method", _head(b"BREW /l/x HTTP/1.1"), 501),
    ("a method in small letters", _head(b"get /l/x HTTP/1.1"), 501),
    ("a method of 33 letters", _head(b"G" * 33 + b" /l/x HTTP/1.1"), 400),
    ("a method that is no token", _head(b"G@T /l/x HTTP/1.1"), 400),
    ("no method", _head(b" /l/x HTTP/1.1"), 400),
]  # fmt: skip

_VERSIONS: Final[list[Case]] = [
    ("a request of HTTP/0.9", b"GET /l/x\r\n", 400),
    ("HTTP/2 with prior knowledge", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    *(
        (f"version {version!r}", _head(b"GET /l/x " + version), status)
        for version, status in (
            (b"HTTP/0.9", 505), (b"HTTP/1.2", 505), (b"HTTP/2.0", 505), (b"HTTP/3.0", 505),
            (b"HTTP/1", 400), (b"HTTP/2", 400), (b"HTTP/1.10", 400), (b"HTTP/01.1", 400),
            (b"HTTP/1.1 ", 400), (b" HTTP/1.1", 400), (b"http/1.1", 400), (b"HTTP/1,1", 400),
            (b"RTSP/1.0", 400), (b"ICE/1.0", 400), (b"HTTP/1.\xb9", 400), (b"HTTP", 400),
        )
    ),
]  # fmt: skip

_LIMITS: Final[list[Case]] = [
    ("a target of 8193 bytes", _head(b"GET /l/" + b"x" * 8190 + b" HTTP/1.1"), 414),
    ("a line of 9000 bytes", _head(b"GET /l/" + b"x" * 9000 + b" HTTP/1.1"), 414),
    ("a line without an end", b"G" * 9000, 414),
    ("a head of more than 32 KB", _get(*(b"X-%d: " % n + b"x" * 1000 for n in range(33))), 431),
    ("a field of more than 32 KB", _get(b"X-A: " + b"x" * 33_000), 431),
    ("a head without an end", b"GET /l/x HTTP/1.1\r\nX-A: " + b"x" * 33_000, 431),
    ("101 fields", _get(*(b"X: 1" for _ in range(100))), 431),
    ("101 fields, one of them broken", _get(b"X: 1\rx", *(b"X: 1" for _ in range(100))), 400),
]

_MEANING: Final[list[Case]] = [
    ("an unknown expectation", _get(b"Expect: 200-ok"), 417),
    ("a list of expectations", _post(b"Content-Length: 5", b"Expect: 100-continue, x"), 417),
    ("Connection names Host", _get(b"Connection: host"), 400),
    ("Connection names Content-Length", _post(b"Content-Length: 5", b"Connection: content-length"),
     400),
    (
        "Connection names Transfer-Encoding",
        _post(b"Transfer-Encoding: chunked", b"Connection: close, Transfer-Encoding"),
        400,
    ),
    ("two empty lines first", b"\r\n\r\n" + _get(), 400),
    ("a bare LF first", b"\n" + _get(), 400),
    ("a bare CR first", b"\r" + _get(), 400),
    ("a space first", b" " + _get(), 400),
    ("TLS on a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n", 400),
    ("nothing but bare LFs", b"GET /l/x HTTP/1.1\nHost: h\n\n", 400),
]  # fmt: skip

REFUSED_HEADS: Final[list[Case]] = [
    *_FRAMING, *_FIELDS, *_HOSTS, *_TARGETS, *_VERSIONS, *_LIMITS, *_MEANING,
]  # fmt: skip

_CHUNKED: Final = _head(b"POST /l/x HTTP/1.1", b"Transfer-Encoding: chunked")

REFUSED_BODIES: Final[list[Case]] = [
    (what, _CHUNKED + body, 400)
    for what, body in (
        ("a signed chunk size", b"+5\r\nabcde\r\n0\r\n\r\n"),
        ("a negative chunk size", b"-5\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk size with 0x", b"0x5\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk size with an underscore", b"5_0\r\nabcde\r\n0\r\n\r\n"),
        ("a blank before a chunk size", b" 5\r\nabcde\r\n0\r\n\r\n"),
        ("a blank behind a chunk size", b"5 \r\nabcde\r\n0\r\n\r\n"),
        ("a blank before an extension", b"5 ;x\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk size that is no number", b"g\r\nabcde\r\n0\r\n\r\n"),
        ("an empty chunk size", b"\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk size of 17 digits", b"00000000000000005\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk size of Unicode digits", b"\xd9\xa5\r\nabcde\r\n0\r\n\r\n"),
        ("an extension without its semicolon", b"5x=y\r\nabcde\r\n0\r\n\r\n"),
        ("an extension of 257 bytes", b"5;" + b"x" * 257 + b"\r\nabcde\r\n0\r\n\r\n"),
        ("an extension without an end", b"5;" + b"x" * 1000),
        ("a control character in an extension", b"5;\x00\r\nabcde\r\n0\r\n\r\n"),
        ("a bare LF behind a chunk size", b"5\nabcde\r\n0\r\n\r\n"),
        ("a bare CR behind a chunk size", b"5\rabcde\r\n0\r\n\r\n"),
        ("a bare LF behind a chunk", b"5\r\nabcde\n0\r\n\r\n"),
        ("a bare CR behind a chunk", b"5\r\nabcde\r0\r\n\r\n"),
        ("a chunk longer than it said", b"4\r\nabcde\r\n0\r\n\r\n"),
        ("a chunk shorter than it said", b"6\r\nabcde\r\n0\r\n\r\n"),
        ("a bare LF at the end", b"5\r\nabcde\r\n0\r\n\n"),
        ("a malformed trailer", b"5\r\nabcde\r\n0\r\nnot a field\r\n\r\n"),
        ("a folded trailer", b"5\r\nabcde\r\n0\r\nX: 1\r\n 2\r\n\r\n"),
        ("a trailer of more than 8 KB", b"0\r\n" + b"X: %b\r\n" % (b"x" * 1000) * 9 + b"\r\n"),
        ("a trailer line without an end", b"0\r\nX: " + b"x" * 9000),
        ("a size and an extension, both too long", b"f" * 17 + b";" + b"x" * 300 + b"\r\n"),
    )
]
