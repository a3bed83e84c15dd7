"""What the fuzzer's targets promise holds for messages built of what parsers have disagreed about.

The targets (`tests/fuzz/targets`) say what must hold for any bytes; here hypothesis writes them, by
a grammar of messages that are almost right, and shrinks what breaks.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.seeds import kept
from tests.fuzz.targets import answers, chunks, fields, paths, requests
from tests.support_wire import cut, request_events, response_events

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
def some_requests(draw: st.DrawFn) -> bytes:
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
def some_answers(draw: st.DrawFn) -> bytes:
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
ANYTHING = st.one_of(st.binary(max_size=300), some_requests(), some_answers())
SEGMENTS = st.sampled_from(
    [b"/", b"/", b".", b"..", b"a", b";", b"%2e", b"%2E", b"%41", b"%3b", b"%2f", b"%5C", b"%00",
     b"%c0", b"%af", b"%e0", b"%9f", b"%f0", b"%80", b"%25", b"%", b"~", b"\\", b"\xc3"]
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(some_requests())
def test_upstream_reads_what_we_understood(raw: bytes) -> None:
    """What is accepted is written so that h11 and llhttp read the same requests, and no more."""
    requests.one(raw)


@settings(max_examples=300, deadline=None)
@given(some_answers())
def test_client_reads_what_we_understood(raw: bytes) -> None:
    """What is relayed is read by h11 and llhttp as one answer, to the same last byte."""
    answers.one(raw)


@settings(max_examples=300, deadline=None)
@given(ANYTHING, CUTS)
def test_requests_in_any_split(raw: bytes, points: list[int]) -> None:
    """The same bytes are the same requests, or the same refusal, however they come."""
    assert request_events(cut(raw, points)) == request_events([raw])


@settings(max_examples=300, deadline=None)
@given(ANYTHING, CUTS, st.sampled_from(["GET", "HEAD"]))
def test_answers_in_any_split(raw: bytes, points: list[int], method: str) -> None:
    """The same bytes are the same answer, or the same error, however they come."""
    whole = response_events([raw], method, closed=True)
    assert response_events(cut(raw, points), method, closed=True) == whole


@settings(max_examples=300, deadline=None)
@given(st.one_of(BODIES, st.lists(BODIES, max_size=3).map(b"".join)))
def test_chunks_are_read_as_by_the_reference(raw: bytes) -> None:
    """A chunked body is decoded as the reference decodes it, in any split."""
    chunks.one(raw)


@settings(max_examples=400, deadline=None)
@given(st.lists(SEGMENTS, max_size=12).map(lambda parts: b"/" + b"".join(parts)))
def test_paths_are_normalised_as_by_the_reference(raw: bytes) -> None:
    """A path has one normal spelling, the reference's, or none."""
    paths.one(raw)


@settings(max_examples=300, deadline=None)
@given(st.one_of(VALUES, FRAMINGS, st.tuples(NAMES, VALUES).map(b":".join), st.binary(max_size=9)))
def test_fields_are_read_as_by_the_reference(raw: bytes) -> None:
    """A field line and a number of the framing are what the grammar says, to the letter."""
    fields.one(raw)


@pytest.mark.parametrize(
    "path",
    [path for path in kept("requests") if path.name.startswith(("accepted", "refused"))],
    ids=lambda path: path.name,
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
