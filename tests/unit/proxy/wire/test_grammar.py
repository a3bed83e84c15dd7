"""Every grammar rule: what it takes, what it does not, and that it takes linear time."""

from __future__ import annotations

import re

import pytest

from proxy.wire import grammar

TAKEN: list[tuple[str, list[bytes]]] = [
    ("TOKEN", [b"a", b"GET", b"!#$%&'*+-.^_`|~09Az"]),
    ("REQUEST_LINE", [b"GET / HTTP/1.1", b"M-SEARCH * HTTP/9.9", b"A" * 32 + b" x HTTP/0.0"]),
    ("STATUS_LINE", [b"HTTP/1.1 200 OK", b"HTTP/1.0 599 ", b"HTTP/1.1 100",
    b"HTTP/1.1 200 \xfc\t"]),
    (
        "FIELD_LINE",
        [b"A: b", b"A:b", b"A:", b"A: ", b"A:\t b \t", b"A: b  c\td", b"~: \xff", b"A: \x80 \x80"],
    ),
    ("CONTENT_LENGTH", [b"0", b"1", b"10", b"9" * 18]),
    ("CHUNK_LINE", [b"0", b"aF09", b"f" * 16, b"5;", b"5;a=b", b'5;a="\xff\t "',
    b"5;" + b"x" * 256]),
    ("HOST", [b"h", b"a.b-c_d~", b"h:0", b"h:65535", b"[::1]", b"[::ffff:1.2.3.4]:80",
    b"!$&'()*+;="]),
    ("ABSOLUTE_FORM", [b"http://h", b"HTTPS://h:1/p?q", b"http://h?q", b"http://h/?a?b"]),
    ("PATH", [b"/", b"//", b"/a%20b", b"/a;b=c", b"/!$&'()*+,;=:@"]),
    ("NORMAL_PATH", [b"/", b"/a", b"/a/", b"/a/b.c", b"/a/b..c/", b"/~a/_b"]),
    ("QUERY", [b"?", b"?a=b&c[]={}|^`", b"?%zz", b"??/", b"?~!$"]),
]  # fmt: skip

NOT_TAKEN: list[tuple[str, list[bytes]]] = [
    ("TOKEN", [b"", b"a b", b"a:", b'"', b"\xe4", b"a\x00"]),
    (
        "REQUEST_LINE",
        [b"GET  / HTTP/1.1", b"GET / HTTP/1.1 ", b"GET / HTTP/11", b"GET /\x7f HTTP/1.1",
         b"GET /\xe4 HTTP/1.1", b"A" * 33 + b" / HTTP/1.1", b"GET / http/1.1", b"GET /"],
    ),
    (
        "STATUS_LINE",
        [b"HTTP/1.1 099", b"HTTP/1.1 600", b"HTTP/1.1 20", b"HTTP/1.1  200", b"HTTP/1.1 2000",
         b"HTTP/1.2 200", b"HTTP/2.0 200", b"HTTP/1.1 200 \x00", b"HTTP/1.1 200 \n", b""],
    ),
    (
        "FIELD_LINE",
        [b"", b":", b": a", b"A", b"A : b", b" A: b", b"A: \x00", b"A: a\rb", b"A: a\nb",
        b"A: \x7f",
         b"A\xe4: b", b"A(: b", b"A: \x0b", b"A: b\x0c"],
    ),
    ("CONTENT_LENGTH", [b"", b"00", b"01", b"+1", b"-1", b"1 ", b"1_0", b"9" * 19, b"\xb2",
    b"0x1"]),
    (
        "CHUNK_LINE",
        [b"", b"g", b"+5", b"-5", b"0x5", b"5 ", b" 5", b"5 ;a", b"5_0", b"f" * 17, b"5a=b;",
        b"5;\x00",
         b"5;" + b"x" * 257],
    ),
    (
        "HOST",
        [b"", b"a b", b"a,b", b"u@h", b"h/", b"h?", b"h#", b"h:", b"h:x", b"h:123456", b"::1",
        b"[::1",
         b"[::1]x", b"[g]", b"a%41", b'"h"', b"\xe4", b"h\\", b"h" * 256],
    ),
    ("ABSOLUTE_FORM", [b"http:/h", b"http:///", b"ftp://h", b"http://u@h/", b"http://h#f",
    b"//h/"]),
    ("PATH", [b"", b"a", b"/%", b"/%a", b"/%zz", b"/a b", b"/{", b'/"', b"/\\", b"/|", b"/\xe4",
    b"/?"]),
    ("NORMAL_PATH", [b"", b"//", b"/.", b"/..", b"/.a", b"/a//b", b"/a/./b", b"/a/..", b"/%41",
    b"/a;b"]),
    ("QUERY", [b"", b"?#", b'?"', b"?<", b"?>", b"?\\", b"? ", b"?\xe4", b"?\x00", b"a"]),
]  # fmt: skip


def _cases(table: list[tuple[str, list[bytes]]]) -> list[tuple[str, bytes]]:
    return [(rule, text) for rule, texts in table for text in texts]


@pytest.mark.parametrize(("rule", "text"), _cases(TAKEN))
def test_taken(rule: str, text: bytes) -> None:
    """A rule takes what the RFC and we allow."""
    assert getattr(grammar, rule).fullmatch(text)


@pytest.mark.parametrize(("rule", "text"), _cases(NOT_TAKEN))
def test_not_taken(rule: str, text: bytes) -> None:
    """A rule takes nothing else."""
    assert getattr(grammar, rule).fullmatch(text) is None


@pytest.mark.parametrize(
    ("text", "broken"),
    [
        (b"a\r\nb\r\n", False), (b"a\r", False), (b"", False), (b"\n", True), (b"a\nb", True),
        (b"a\rb", True), (b"\r\r\n", True), (b"\r\n\n", True), (b"\n\r", True),
    ],
)  # fmt: skip
def test_broken_line(text: bytes, broken: bool) -> None:
    """A LF without its CR is broken, and so is a CR without its LF once something follows."""
    assert bool(grammar.BROKEN_LINE.search(text)) is broken


@pytest.mark.parametrize("code", [b"%00", b"%2f", b"%2F", b"%5c", b"%5C"])
def test_hidden(code: bytes) -> None:
    """Encoded separators and NUL are found anywhere, in either case."""
    assert grammar.HIDDEN.search(b"/a" + code + b"b")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"/%c0%af", True), (b"/%C1%9C", True), (b"/%e0%80%af", True), (b"/%E0%9F%bf", True),
        (b"/%f0%80%80%af", True), (b"/%f0%8f%bf%bf", True), (b"/%f8%80%80%80%af", True),
        (b"/%fc%80%80%80%80%af", True), (b"/%c3%a4", False), (b"/%e0%a0%80", False),
        (b"/%f0%90%80%80", False), (b"/%e4", False),
    ],
)  # fmt: skip
def test_overlong(text: bytes, found: bool) -> None:
    """Overlong UTF-8 is found; the shortest forms, and Latin-1, are not."""
    assert bool(grammar.OVERLONG.search(text)) is found


HEADS = [b"", b"A:", b"A: b", b"/", b"?", b"5;", b"GET ", b"HTTP/1.1 200 ", b"http://"]
FILLERS = [
    b" ", b"\t ", b"a", b"a ", b"A:", b"%2", b"%41", b"/", b"/a", b"/.", b"0", b"f", b";", b",",
    b"\xff",
]  # fmt: skip


@pytest.mark.timeout(10)  # a quadratic rule takes half a minute for each of these, a linear 1 ms
@pytest.mark.parametrize(
    "rule", [name for name, value in vars(grammar).items() if isinstance(value, re.Pattern)]
)
@pytest.mark.parametrize("head", HEADS)
def test_linear_time(rule: str, head: bytes) -> None:
    """No input keeps a rule busy for longer than it takes to read it."""
    pattern = getattr(grammar, rule)
    for filler in FILLERS:
        pattern.fullmatch(head + filler * (100_000 // len(filler)) + b"\x00")
