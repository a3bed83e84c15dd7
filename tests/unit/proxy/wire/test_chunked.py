from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.wire.chunked import LAST_CHUNK, LINE_MAX, TRAILER_MAX, ChunkedReader, chunk, last_chunk
from proxy.wire.errors import WireError
from tests.hostile_requests import REFUSED_BODIES
from tests.support_wire import Pieces, cut, every_split


def decode(pieces: Pieces) -> tuple[bytes, bytes]:
    """Decode a body that must be complete; give payload and surplus."""
    reader, payload, rest = ChunkedReader(), b"", b""
    for piece in pieces:
        more, rest = reader.take(rest + piece)
        payload += more
    while not reader.done:
        more, left = reader.take(rest)
        assert more or left != rest, "not complete"
        payload, rest = payload + more, left
    return payload, rest


@pytest.mark.parametrize(
    ("coded", "payload", "surplus"),
    [
        (b"0\r\n\r\n", b"", b""), (b"000\r\n\r\n", b"", b""),
        (b"5\r\nabcde\r\n0\r\n\r\n", b"abcde", b""),
        (b"1\r\na\r\n2\r\nbc\r\n0\r\n\r\n", b"abc", b""),
        (b"A\r\n0123456789\r\n0\r\n\r\n", b"0123456789", b""),
        (b"5;a=b\r\nabcde\r\n0;c\r\n\r\n", b"abcde", b""),
        (b"2\r\n\r\n\r\n0\r\n\r\n", b"\r\n", b""),
        (b"0\r\nA: b\r\nC:\r\n\r\n", b"", b""), (b"0\r\n\r\nGET /", b"", b"GET /"),
        (b"0000000000000001\r\na\r\n0\r\n\r\n\r\n", b"a", b"\r\n"),
    ],
)  # fmt: skip
def test_decoding(coded: bytes, payload: bytes, surplus: bytes) -> None:
    """Payload comes out, extensions and trailers do not, what follows is left, in every split."""
    for pieces in every_split(coded):
        assert decode(pieces) == (payload, surplus)


@pytest.mark.parametrize(
    "raw", [case[1] for case in REFUSED_BODIES], ids=[case[0] for case in REFUSED_BODIES]
)
def test_broken_coding(raw: bytes) -> None:
    """A broken body gives its payload up to the break and then an error, in every split."""
    coded = raw.partition(b"\r\n\r\n")[2]
    seen = set()
    for pieces in every_split(coded):
        payload, verdict = _outcome(pieces)
        assert verdict == "broken"
        seen.add(payload)
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("section", "trailers"),
    [(b"", []), (b"A: 1\r\nB:2 \r\nA: 3\r\n", [b"A: 1", b"B:2 ", b"A: 3"]), (b"A:\r\n", [b"A:"])],
)
def test_trailers_are_kept_as_they_came(section: bytes, trailers: list[bytes]) -> None:
    """The lines behind the last chunk are there when the body is done, in every split."""
    for pieces in every_split(b"1\r\na\r\n0\r\n" + section + b"\r\n"):
        reader, rest = ChunkedReader(), b""
        for piece in pieces:
            _, rest = reader.take(rest + piece)
        while not reader.done:
            _, rest = reader.take(rest)
        assert reader.trailers == trailers


def test_last_chunk() -> None:
    """The end of a body is written with its trailers, or without any."""
    assert last_chunk(b"") == LAST_CHUNK
    assert last_chunk(b"A: 1\r\n") == b"0\r\nA: 1\r\n\r\n"


def test_limits() -> None:
    """A line of the longest length is taken, and a trailer section of the largest size."""
    assert decode([b"0\r\nA: %b\r\n\r\n" % (b"x" * (TRAILER_MAX - 5))]) == (b"", b"")
    with pytest.raises(WireError):
        decode([b"0\r\nA: %b\r\n\r\n" % (b"x" * (TRAILER_MAX - 4))])
    with pytest.raises(WireError):
        ChunkedReader().take(b"1" * (LINE_MAX + 2))
    assert ChunkedReader().take(b"1" * LINE_MAX)[0] == b""


def test_nothing_is_read_beyond_the_end() -> None:
    """A reader that is done takes no more."""
    reader = ChunkedReader()
    assert reader.take(LAST_CHUNK) == (b"", b"")
    assert reader.take(b"5\r\nabcde\r\n") == (b"", b"5\r\nabcde\r\n")


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=8), st.lists(st.integers(0, 400)))
def test_round_trip(payloads: list[bytes], points: list[int]) -> None:
    """What is written in chunks is read as it was, however it is cut and written."""
    coded = b"".join(map(chunk, payloads)) + LAST_CHUNK + b"next"
    assert decode(cut(coded, points)) == (b"".join(payloads), b"next")


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=6))
def test_same_in_every_split(data: bytes, points: list[int]) -> None:
    """Any bytes give the same payload and the same verdict in any split."""
    assert _outcome([data]) == _outcome(cut(data, points))


def _outcome(pieces: Pieces) -> tuple[bytes, object]:
    reader, payload, rest = ChunkedReader(), b"", b""
    try:
        for piece in pieces:
            more, rest = reader.take(rest + piece)
            payload += more
            while more:
                more, rest = reader.take(rest)
                payload += more
    except WireError:
        return payload, "broken"
    return payload, (reader.done, rest)
