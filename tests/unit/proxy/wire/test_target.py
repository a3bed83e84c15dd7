from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.errors import RequestError
from proxy.wire.target import (
    LINE_MAX,
    TARGET_MAX,
    RequestLine,
    normal_path,
    read_any_request_line,
    read_request_line,
    too_long,
)

Parts = tuple[str, str, bytes, int, bytes | None]


def _parts(line: RequestLine) -> Parts:
    return line.method, line.path, line.target, line.minor, line.authority


def _outcome(read: Callable[[bytes], RequestLine], line: bytes) -> Parts | tuple[int, str]:
    try:
        return _parts(read(line))
    except RequestError as refusal:
        return refusal.status, refusal.reason


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"GET / HTTP/1.1", RequestLine("GET", "/", b"/", 1)),
        (b"POST /a?b=c HTTP/1.0", RequestLine("POST", "/a", b"/a?b=c", 0)),
        (b"OPTIONS * HTTP/1.1", RequestLine("OPTIONS", "*", b"*", 1)),
        (b"GET http://H:80/a?b HTTP/1.1", RequestLine("GET", "/a", b"/a?b", 1, b"H:80")),
        (b"GET https://h HTTP/1.1", RequestLine("GET", "/", b"/", 1, b"h")),
        (b"GET http://h?q HTTP/1.1", RequestLine("GET", "/", b"/?q", 1, b"h")),
        (b"GET /a/../%62?%62 HTTP/1.1", RequestLine("GET", "/b", b"/b?%62", 1)),
        (b"GET /? HTTP/1.1", RequestLine("GET", "/", b"/?", 1)),
    ],
)
def test_request_line(line: bytes, expected: RequestLine) -> None:
    """A line is understood once: method, normal path, target to forward, authority."""
    assert _parts(read_request_line(line)) == _parts(expected)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_every_method(method: str) -> None:
    """Every method that we pass on is read."""
    assert read_request_line(f"{method} / HTTP/1.1".encode()).method == method


@given(
    st.sampled_from([b"GET", b"POST", b"OPTIONS", b"get", b"TRACE", b"GE"]),
    st.lists(
        st.sampled_from(
            [b"/", b"/", b".", b"..", b"a", b"~", b"?", b"#", b"%41", b"%2f", b";", b"*", b" ",
             b"{", b"\xe4", b"\\", b"\x00", b"\n"]
        ), max_size=9,
    ).map(b"".join),
    st.sampled_from([b" HTTP/1.1", b" HTTP/1.0", b" HTTP/1.2", b" HTTP/11", b" HTTP/1.1 ", b""]),
)  # fmt: skip
def test_a_plain_line_is_read_as_any_other(method: bytes, target: bytes, version: bytes) -> None:
    """The short way for plain lines and the long way for all come to the same."""
    line = method + b" /" + target + version
    assert _outcome(read_request_line, line) == _outcome(read_any_request_line, line)


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"", 400), (b"GET /", 400), (b"GET / HTTP/1.1 ", 400), (b"GET / HTTP/1.2", 505),
        (b"GET / HTTP/0.9", 505), (b"PRI * HTTP/2.0", 505), (b"CONNECT h:1 HTTP/1.1", 405),
        (b"TRACE / HTTP/1.1", 405), (b"BREW / HTTP/1.1", 501), (b"get / HTTP/1.1", 501),
        (b"GET * HTTP/1.1", 400), (b"GET a HTTP/1.1", 400), (b"GET http://u@h/ HTTP/1.1", 400),
        (b"GET http://a,b/ HTTP/1.1", 400), (b"GET /?# HTTP/1.1", 400), (b"GET /# HTTP/1.1", 400),
        (b"GET /" + b"a" * TARGET_MAX + b" HTTP/1.1", 414), (b"a" * (LINE_MAX + 1), 414),
        (b"a" * LINE_MAX, 400), (b"GET\n" + b"a" * LINE_MAX, 400),
        (b"GET /" + b"a" * TARGET_MAX + b" HTTP/2.0", 505),
    ],
)  # fmt: skip
def test_refused_line(line: bytes, status: int) -> None:
    """What is not a request line of ours is refused with the status that says why."""
    with pytest.raises(RequestError) as refusal:
        read_request_line(line)
    assert refusal.value.status == status


def test_longest_target() -> None:
    """A target of exactly the limit is taken."""
    target = b"/" + b"a" * (TARGET_MAX - 1)
    assert read_request_line(b"GET " + target + b" HTTP/1.1").target == target


def test_too_long_looks_at_the_line_only() -> None:
    """What stands beyond the limit does not change the verdict on a line."""
    assert too_long(b"a" * (LINE_MAX + 2) + b"\n").status == 414
    assert too_long(b"a" * (LINE_MAX + 1) + b"\n").status == 400


@pytest.mark.parametrize(
    ("path", "normal"),
    [
        (b"/", b"/"), (b"/a/b", b"/a/b"), (b"//", b"/"), (b"/a//b", b"/a/b"), (b"/a//", b"/a/"),
        (b"/.", b"/"), (b"/./", b"/"), (b"/a/.", b"/a/"), (b"/a/..", b"/"), (b"/a/../", b"/"),
        (b"/a/b/..", b"/a/"), (b"/a/b/../c", b"/a/c"), (b"/a/./b", b"/a/b"), (b"/...", b"/..."),
        (b"/.a", b"/.a"), (b"/a.", b"/a."), (b"/%41%7e%2d", b"/A~-"), (b"/%e4%2A", b"/%E4%2A"),
        (b"/a;b", b"/a;b"), (b"/;", b"/;"), (b"/a;../b", b"/a;../b"), (b"/%252e", b"/%252e"),
        (b"/%3b", b"/%3B"), (b"/a%20b", b"/a%20b"), (b"/%C3%A4", b"/%C3%A4"),
    ],
)  # fmt: skip
def test_normal_path(path: bytes, normal: bytes) -> None:
    """A path has one spelling."""
    assert normal_path(path) == normal


@pytest.mark.parametrize(
    "path",
    [
        b"", b"a", b"/%", b"/%zz", b"/{", b"/%00", b"/%2f", b"/%5C", b"/%c0%af", b"/..",
        b"/a/../..",
        b"/%2e", b"/%2e%2e/", b"/.%2e", b"/%2E./a", b"/..;", b"/..;a/b", b"/.;", b"/%2e;", b"/\\",
        b"/a/%2e%2e/%2e%2e",
    ],
)  # fmt: skip
def test_refused_path(path: bytes) -> None:
    """A spelling that servers disagree about is refused, not mended."""
    with pytest.raises(RequestError) as refusal:
        normal_path(path)
    assert refusal.value.status == 400


PIECES = st.sampled_from(
    [b"/", b"//", b".", b"..", b"a", b"b;c", b";", b"%2e", b"%2E", b"%2f", b"%5c", b"%41",
    b"%c3%a4",
     b"%25", b"%", b"2e", b"%00", b"%c0", b"%af", b"%7E", b"\\", b"~", b"%3b", b"=", b"@"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=12))
def test_normal_path_is_normal(pieces: list[bytes]) -> None:
    """A normal path is normal already, and hides no other path."""
    try:
        path = normal_path(b"/" + b"".join(pieces))
    except RequestError:
        return
    assert normal_path(path) == path
    assert path.startswith(b"/")
    assert b"//" not in path
    low = path.lower()
    assert not any(code in low for code in (b"%2f", b"%5c", b"%00", b"%2e", b"\\"))
    assert not any(segment.split(b";")[0] in (b".", b"..") for segment in path.split(b"/"))


@given(st.binary(max_size=60))
def test_no_other_exception(line: bytes) -> None:
    """Whatever stands in a request line, the answer is a line or a refusal."""
    for text in (line, b"GET /" + line + b" HTTP/1.1"):
        with contextlib.suppress(RequestError):
            read_request_line(text)
