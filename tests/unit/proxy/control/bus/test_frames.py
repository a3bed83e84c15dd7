from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.bus.frames import FRAME_MAX, FrameError, FrameReader, encode

MESSAGES: list[tuple[str, dict[str, Any]]] = [
    ("hello", {"pid": 1}),
    ("snapshot", {}),
    ("ack", {"version": 2, "text": "größer"}),
]


@given(cuts=st.lists(st.integers(0, 200), max_size=12))
def test_messages_survive_any_split(cuts: list[int]) -> None:
    """However the stream is cut, the same messages come out in order."""
    stream = b"".join(encode(kind, payload) for kind, payload in MESSAGES)
    edges = sorted({0, len(stream), *(min(cut, len(stream)) for cut in cuts)})
    reader = FrameReader()
    read = []
    for start, end in itertools.pairwise(edges):
        read += reader.feed(stream[start:end])
    assert read == MESSAGES


@pytest.mark.parametrize(
    "stream",
    [
        (FRAME_MAX + 1).to_bytes(4, "big"),
        b"\0\0\0\3{]}",
        b"\0\0\0\x02{}",
        b"\0\0\0\x04[1,2",
        b'\0\0\0\x07["a",1]',
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_strangers_are_refused(stream: bytes) -> None:
    """Bytes that are no frame of this protocol raise FrameError instead of waiting for ever."""
    with pytest.raises(FrameError):
        FrameReader().feed(stream)


def test_incomplete_frame_waits() -> None:
    """Nothing is given before the last byte has come."""
    frame = encode("ack", {"version": 1})
    reader = FrameReader()
    assert reader.feed(frame[:-1]) == []
    assert reader.feed(frame[-1:]) == [("ack", {"version": 1})]
