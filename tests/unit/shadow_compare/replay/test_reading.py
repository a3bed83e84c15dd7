"""All formats of recorded traffic: what they give, and that nothing makes them fail."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.replay import access_log, goreplay, har, samples
from shadow_compare.replay.reading import FORMATS, format_of
from shadow_compare.replay.recorded import SIZE_MAX, Item, Recorded, Unreadable, request

COMBINED = (
    b'203.0.113.7 - ada [10/Oct/2026:13:55:36 +0000] "GET /api/plans?page=2 HTTP/1.1" 200 23'
    b' "-" "curl/8"\n'
)
SEPARATOR = goreplay.SEPARATOR
GOR = (
    b"1 a1 1790000000000000000\nPOST /a HTTP/1.1\r\nHost: h\r\nX-A: 1\r\n\r\nb\r\nc"
    + SEPARATOR
    + b"2 a1 1790000000000000001 5\nHTTP/1.1 200 OK\r\n\r\n"
    + SEPARATOR
    + b"1 b2 1790000000000000002\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n"
    + SEPARATOR
)


def archive(*requests: object) -> bytes:
    """Write an HTTP archive of these requests."""
    entries = [{"time": 1, "request": each, "response": {"a": ["]", '}\\"']}} for each in requests]
    return json.dumps({"log": {"version": "1.2", "entries": entries, "pages": []}}).encode()


ASKED = {
    "method": "GET",
    "url": "https://shop.example/a?b=%20c",
    "headers": [{"name": ":authority", "value": "x"}, {"name": "Accept", "value": "*/*"}],
}


HOST = ("host", "shop.example")


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    """Cut bytes into pieces."""
    return (data[at : at + size] for at in range(0, len(data), size))


def test_access_logs_give_method_and_target() -> None:
    """Common and combined; what is no line is told with its number, and no end."""
    lines = [
        COMBINED,
        b"nonsense\n",
        b"\n",
        b'::1 - - [x] "HEAD /q\\"\\x41 HTTP/2.0" 304 -\n',
        b'::1 - - [x] "-" 408 0\n',
        b'::1 - - [x] "GET http://h/abs HTTP/1.0" 200 1',
    ]
    found = list(access_log.read_lines(lines))
    assert found == [
        Recorded(1, "GET", "/api/plans?page=2", (("user-agent", "curl/8"),)),
        Unreadable(2, "is no line of an access log"),
        Recorded(4, "HEAD", '/q"A'),
        Unreadable(5, "is no line of an access log"),
        Recorded(6, "GET", "/abs", (("host", "h"),)),
    ]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_files_of_goreplay_give_requests(size: int) -> None:
    """With headers and body; answers are passed over; in pieces of any size."""
    assert list(goreplay.read_chunks(pieces(GOR, size))) == [
        Recorded(1, "POST", "/a", (("host", "h"), ("x-a", "1")), b"b\r\nc"),
        Recorded(3, "GET", "/b", (("host", "h"),)),
    ]


def test_goreplay_goes_on_behind_what_cannot_be_read() -> None:
    """Cut off, no payload, without an end of its chunks, larger than is held."""
    chunked = b"1 a 1\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n"
    parts = (b"what\nis", b"1 a 1\nGET / HTTP/1.1", chunked, b"1 a 1\nGET /c HTTP/1.1\r\n\r\n")
    found = list(goreplay.read_chunks([SEPARATOR.join(parts)]))
    assert [type(each) for each in found] == [Unreadable, Unreadable, Unreadable, Recorded]
    large = [b"1 a 1\n", *[b"x" * 1_000_000] * 17, SEPARATOR, parts[-1]]
    assert list(goreplay.read_chunks(large)) == [
        Unreadable(1, f"is larger than {SIZE_MAX} bytes"),
        Recorded(2, "GET", "/c"),
    ]


def posted(*fields: str, body: bytes) -> Item:
    """Read a POST from a file of GoReplay."""
    head = "\r\n".join(["POST /a HTTP/1.1", "Host: h", *fields, "", ""]).encode()
    (found,) = goreplay.read_chunks([b"1 a 1\n" + head + body])
    return found


@pytest.mark.parametrize(
    ("fields", "body", "expected"),
    [
        (["Transfer-Encoding: Chunked"], b"3\r\nabc\r\n1;x=y\r\n\n\r\n0\r\nT: 1\r\n\r\n", b"abc\n"),
        (["Transfer-Encoding: chunked", "Content-Length: 3"], b"1\r\na\r\n0\r\n\r\n", b"a"),
        (["Transfer-Encoding: chunked"], b"0\r\n\r\n", b""),
        (["Content-Length: 2"], b"abcd", b"ab"),
        (["Content-Length: 2", "Content-Length: 2"], b"ab", b"ab"),
        ([], b"ab", b"ab"),
        (["Transfer-Encoding: chunked"], b"3\r\nabcd\r\n0\r\n\r\n", "cut off"),
        (["Transfer-Encoding: chunked"], b"3\r\nabc\r\n", "cut off"),
        (["Transfer-Encoding: chunked"], b"", "cut off"),
        (["Transfer-Encoding: chunked"], b"FFFFFFFFF\r\n", "cut off"),
        (["Transfer-Encoding: gzip, chunked"], b"0\r\n\r\n", "other than chunked"),
        (["Content-Length: 5"], b"ab", "is cut off"),
        (["Content-Length: -1"], b"ab", "is none"),
        (["Content-Length: 1", "Content-Length: 2"], b"ab", "is none"),
    ],
)  # fmt: skip
def test_a_body_of_goreplay_ends_where_its_head_says(
    fields: list[str], body: bytes, expected: bytes | str
) -> None:
    """Chunks are put together; what has no end, or is cut off, is not sent."""
    found = posted(*fields, body=body)
    if isinstance(expected, bytes):
        assert isinstance(found, Recorded)
        assert found.body == expected
    else:
        assert isinstance(found, Unreadable)
        assert expected in found.why


@given(st.lists(st.binary(min_size=1, max_size=30)))
def test_chunks_are_put_together_whatever_is_in_them(parts: list[bytes]) -> None:
    """Also line ends, and what looks like the end."""
    chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)
    assert goreplay.unchunked(chunked + b"0\r\n\r\n") == b"".join(parts)
    assert goreplay.unchunked(chunked) is None


@pytest.mark.parametrize(
    ("data", "body", "kind"),
    [
        ({"mimeType": "text/plain", "text": "\u00e4"}, "\u00e4".encode(), "text/plain"),
        ({"mimeType": "a/b", "text": "/w==", "encoding": "base64"}, b"\xff", "a/b"),
        (
            {"mimeType": "f", "params": [{"name": "a b", "value": "&"}, {"name": "c"}]},
            b"a+b=%26&c=",
            "f",
        ),
    ],
)
def test_bodies_of_archives_come_in_several_forms(
    data: dict[str, object], body: bytes, kind: str
) -> None:
    """As text, as base64, as pairs; with their type, where no field says it."""
    (found,) = har.read_chunks([archive({**ASKED, "method": "POST", "postData": data})])
    assert isinstance(found, Recorded)
    assert (found.body, dict(found.headers)["content-type"]) == (body, kind)


def test_a_body_that_is_no_base64_is_told() -> None:
    """Nothing is sent in its place."""
    data = archive({**ASKED, "postData": {"text": "?", "encoding": "base64"}})
    assert list(har.read_chunks([data])) == [Unreadable(1, "is no entry with a request")]


@pytest.mark.parametrize("size", [1, 11, 100_000])
def test_archives_give_their_entries(size: int) -> None:
    """Brackets and quotes inside strings do not count; HTTP/2's own fields are left out."""
    posted = {**ASKED, "method": "POST", "postData": {"text": "ä"}}
    data = archive(ASKED, posted, {"method": "GET"}, "nothing")
    assert list(har.read_chunks(pieces(data, size))) == [
        Recorded(1, "GET", "/a?b=%20c", (HOST, ("accept", "*/*"))),
        Recorded(2, "POST", "/a?b=%20c", (HOST, ("accept", "*/*")), "ä".encode()),
        Unreadable(3, "is no entry with a request"),
        Unreadable(4, "is no entry with a request"),
    ]


def test_archive_that_is_cut_off_gives_what_is_whole() -> None:
    """And says so."""
    data = archive(ASKED, ASKED)
    found = list(har.read_chunks([data[: len(data) * 2 // 3]]))
    assert [type(each) for each in found] == [Recorded, Unreadable]
    assert list(har.read_chunks([b"{}"])) == [Unreadable(0, "holds no entries")]


def test_exported_samples_give_their_requests_without_secrets() -> None:
    """Fields that were redacted are not sent; what was redacted elsewhere is no longer itself."""
    hidden = "[redacted 0123456789ab]"
    curls = [
        f"curl --path-as-is -X GET http://h/a -H 'accept: x' -H 'cookie: a={hidden}'",
        "curl '",
        f"curl --path-as-is -X GET 'http://h/a?token={hidden}'",
        f"curl --path-as-is -X POST http://h/a --data-raw 'user=1&pin={hidden}'",
        "curl --path-as-is -X POST http://h/a --data-raw '[7 bytes 0123456789ab]'",
    ]
    data = json.dumps({"differences": [{"samples": [{"curl": curl} for curl in curls]}]}).encode()
    plain, broken, *redacted = samples.read_chunks([data])
    assert isinstance(plain, Recorded)
    assert not plain.is_redacted
    assert plain.sendable_headers == (("host", "h"), ("accept", "x"))
    assert broken == Unreadable(2, "is no command that was exported")
    assert [isinstance(each, Recorded) and each.is_redacted for each in redacted] == [True] * 3
    assert list(samples.read_chunks([b"["])) == [
        Unreadable(0, "is no file of exported differences")
    ]


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("", "/"),
        ("G T", "/"),
        ("GET", "a"),
        ("GET", "ftp://h/"),
        ("GET", "/\r\nX: 1"),
        ("GET", "/ ä"),
    ],
)
def test_what_could_smuggle_is_no_request(method: str, url: str) -> None:
    """Nothing from a file breaks out of its request line."""
    assert isinstance(request(1, method, url), Unreadable)


@pytest.mark.parametrize(
    ("start", "name"),
    [
        (archive(ASKED), "har"),
        (b' {"title":1}', "samples"),
        (GOR, "goreplay"),
        (COMBINED, "access-log"),
    ],
)
def test_format_is_told_by_the_first_bytes(start: bytes, name: str) -> None:
    """So that nobody has to say it."""
    assert format_of(start) == name


def fine(items: Iterable[Item]) -> None:
    """Read everything, and look at each request as it would be sent."""
    for item in items:
        if isinstance(item, Recorded):
            text = item.method + item.target + "".join(n + v for n, v in item.headers)
            assert not set("\r\n\0") & set(text)
            assert " " not in item.target


FRAGMENTS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([
            COMBINED, GOR, archive(ASKED), SEPARATOR, b'"entries":[', b"{", b"}", b"]", b'"', b"\\",
            b"1 a 1\n", b"GET / HTTP/1.1\r\n\r\n", b"\n",
        ]),
    )
)  # fmt: skip


@given(FRAGMENTS, st.integers(1, 50), st.sampled_from(sorted(FORMATS)))
def test_no_file_makes_a_reader_fail(parts: list[bytes], size: int, name: str) -> None:
    """Whatever is in it, whatever format it is taken for; and pieces do not change what is read."""
    data = b"".join(parts)
    fine(FORMATS[name](io.BytesIO(data), size))
    readers = {"har": har.read_chunks, "goreplay": goreplay.read_chunks}
    if name in readers:
        assert list(readers[name](pieces(data, size))) == list(readers[name]([data]))
