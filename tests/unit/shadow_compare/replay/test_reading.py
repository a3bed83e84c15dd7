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
        Recorded(1, "GET", "/api/plans?page=2"),
        Unreadable(2, "is no line of an access log"),
        Recorded(4, "HEAD", '/q"A'),
        Unreadable(5, "is no line of an access log"),
        Recorded(6, "GET", "/abs"),
    ]


@pytest.mark.parametrize("size", [1, 7, 10_000])
def test_files_of_goreplay_give_requests(size: int) -> None:
    """With headers and body; answers are passed over; in pieces of any size."""
    assert list(goreplay.read_chunks(pieces(GOR, size))) == [
        Recorded(1, "POST", "/a", (("host", "h"), ("x-a", "1")), b"b\r\nc"),
        Recorded(3, "GET", "/b", (("host", "h"),)),
    ]


def test_goreplay_goes_on_behind_what_cannot_be_read() -> None:
    """Cut off, chunked, no payload, larger than is held."""
    chunked = b"1 a 1\nPOST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    parts = (b"what\nis", b"1 a 1\nGET / HTTP/1.1", chunked, b"1 a 1\nGET /c HTTP/1.1\r\n\r\n")
    found = list(goreplay.read_chunks([SEPARATOR.join(parts)]))
    assert [type(each) for each in found] == [Unreadable, Unreadable, Unreadable, Recorded]
    large = [b"1 a 1\n", *[b"x" * 1_000_000] * 17, SEPARATOR, parts[-1]]
    assert list(goreplay.read_chunks(large)) == [
        Unreadable(1, f"is larger than {SIZE_MAX} bytes"),
        Recorded(2, "GET", "/c"),
    ]


@pytest.mark.parametrize("size", [1, 11, 100_000])
def test_archives_give_their_entries(size: int) -> None:
    """Brackets and quotes inside strings do not count; HTTP/2's own fields are left out."""
    posted = {**ASKED, "method": "POST", "postData": {"text": "ä"}}
    data = archive(ASKED, posted, {"method": "GET"}, "nothing")
    assert list(har.read_chunks(pieces(data, size))) == [
        Recorded(1, "GET", "/a?b=%20c", (("accept", "*/*"),)),
        Recorded(2, "POST", "/a?b=%20c", (("accept", "*/*"),), "ä".encode()),
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
    """What was redacted cannot be sent."""
    curl = (
        "curl --path-as-is -X GET http://h/a -H 'accept: x' -H 'cookie: a=[redacted 0123456789ab]'"
    )
    data = json.dumps({"differences": [{"samples": [{"curl": curl}, {"curl": "curl '"}]}]}).encode()
    assert list(samples.read_chunks([data])) == [
        Recorded(1, "GET", "/a", (("accept", "x"),)),
        Unreadable(2, "is no command that was exported"),
    ]
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
    fine(FORMATS[name](io.BytesIO(data)))
    readers = {"har": har.read_chunks, "goreplay": goreplay.read_chunks}
    if name in readers:
        assert list(readers[name](pieces(data, size))) == list(readers[name]([data]))
