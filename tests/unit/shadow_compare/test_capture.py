from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.capture import FRAME_MAX, Capture, CaptureError, FrameReader
from tests.support_shadow import a_capture

CAPTURE = a_capture(request_body=b"\x00req", body=b"answer\xff", at=1.5)


def test_capture_survives_the_wire() -> None:
    """What is decoded is what was encoded, byte-exact bodies included."""
    (frame,) = FrameReader().feed(CAPTURE.encode())
    assert Capture.decode(frame) == CAPTURE


@given(st.lists(st.integers(1, 400), max_size=20))
def test_frames_are_cut_wherever_the_stream_breaks(cuts: list[int]) -> None:
    """Any chunking of the stream gives the same frames."""
    stream = CAPTURE.encode() * 3
    reader, frames, start = FrameReader(), list[bytes](), 0
    for cut in cuts:
        frames += reader.feed(stream[start : start + cut])
        start += cut
    frames += reader.feed(stream[start:])
    assert [Capture.decode(frame) for frame in frames] == [CAPTURE] * 3


def test_frame_beyond_the_limit_means_out_of_step() -> None:
    """An impossible length ends the stream instead of filling the memory."""
    with pytest.raises(CaptureError, match="out of step"):
        FrameReader().feed((FRAME_MAX + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"id":"req-1"', b'"id":17'),
        (b'"route":"plans"', b'"route":["x"]'),
        (b'"primary":"legacy"', b'"primary":"nobody"'),
        (b'"status":200', b'"status":"200"'),
        (b'"at":1.5', b'"at":null'),
        (b'"headers":[["content-type","application/json"]]', b'"headers":[["content-type",5]]'),
        (b'"headers":[["content-type","application/json"]]', b'"headers":["x"]'),
        (b'"truncated"', b'"unknown"'),
        (b'"request_length"', b'"request_size"'),
        (b"{", b"["),
    ],
)
def test_frame_of_another_shape_is_refused(old: bytes, new: bytes) -> None:
    """A capture that does not have its members, or has them of another type, is no capture."""
    (frame,) = FrameReader().feed(CAPTURE.encode())
    meta = frame[4 : 4 + int.from_bytes(frame[:4], "big")]
    broken = meta.replace(old, new, 1)
    assert broken != meta
    with pytest.raises(CaptureError):
        Capture.decode(len(broken).to_bytes(4, "big") + broken + frame[4 + len(meta) :])


@given(st.binary(max_size=200))
def test_rubbish_is_refused_without_a_crash(frame: bytes) -> None:
    """Any bytes are refused with the error that says so."""
    with pytest.raises(CaptureError):
        Capture.decode(frame)
