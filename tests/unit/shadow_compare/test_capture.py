from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shadow_compare.capture import (
    FRAME_MAX,
    Capture,
    CaptureError,
    FrameReader,
    Headers,
    is_recorded,
    method_of,
    route_of,
    without_recording,
)
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


@pytest.mark.parametrize("primary", ["legacy", "modern"])
@pytest.mark.parametrize("truncated", [True, False])
def test_numbers_and_sides_survive_the_wire(primary: str, truncated: bool) -> None:
    """Whoever answered, however long it was, and whatever it is for."""
    capture = replace(
        CAPTURE,
        primary=primary,
        truncated=truncated,
        recorded=primary == "legacy",
        mirrored=truncated,
        identity=2**63 - 1,
        version=2**40,
    )
    assert Capture.decode(capture.encode()[4:]) == capture


_TEXT = st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=9)
_NAME = st.text("abcdefghijklmnopqrstuvwxyz-_.", min_size=1, max_size=9)
_HEADERS = st.lists(st.tuples(_NAME, _TEXT), max_size=4).map(tuple)


@given(_HEADERS, _HEADERS, _HEADERS, st.binary(max_size=9), st.binary(max_size=9))
def test_headers_are_exact_to_the_byte(
    asked: Headers, answered: Headers, provenance: Headers, sent: bytes, body: bytes
) -> None:
    """Order, repetitions, commas, colons, blanks and empty values are kept as they came."""
    capture = replace(
        CAPTURE,
        request_headers=(("host", "shop.test"), *asked),
        headers=(("set-cookie", "a=1; Expires=Fri, 27 Nov 2026 10:00:00 GMT"), *answered),
        provenance=provenance,
        request_body=sent,
        body=body,
    )
    assert Capture.decode(capture.encode()[4:]) == capture


def test_the_route_and_method_of_a_frame_are_read_alone() -> None:
    """Who only passes captures on need not understand them."""
    frame = a_capture(route="r\u00fcck", method="HEAD").encode()[4:]
    assert (route_of(frame), method_of(frame)) == ("r\u00fcck", "HEAD")


FRAME = CAPTURE.encode()[4:]


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"\x01" + FRAME[1:],  # another form
        FRAME[:1] + b"\x10" + FRAME[2:],  # a flag that nobody sets
        FRAME[:20] + struct.pack("!d", math.nan) + FRAME[28:],  # no time
        FRAME[:40],
        FRAME[: FRAME.index(b"\x00req")],  # the end is missing
        FRAME.replace(b"content-type: ", b"content-type; "),
        FRAME.replace(b"plans", b"plan\xff", 1),
        FRAME.replace(b"GET", b"G\xffT", 1),
    ],
)
def test_frame_of_another_shape_is_refused(broken: bytes) -> None:
    """Bytes that do not have the parts of a capture are no capture."""
    assert broken != FRAME
    with pytest.raises(CaptureError):
        Capture.decode(broken)


@pytest.mark.parametrize("read", [route_of, method_of])
def test_a_part_of_rubbish_is_refused(read: Callable[[bytes], str]) -> None:
    """As the whole is."""
    for broken in (b"", FRAME[:40], FRAME.replace(b"plansGET", b"plan\xff\xffET", 1)):
        with pytest.raises(CaptureError):
            read(broken)


@given(st.binary(max_size=200))
def test_rubbish_is_refused_without_a_crash(frame: bytes) -> None:
    """Any bytes are refused with the error that says so."""
    with pytest.raises(CaptureError):
        Capture.decode(frame)


@pytest.mark.parametrize("recorded", [True, False])
def test_a_frame_tells_whether_it_is_to_be_recorded(recorded: bool) -> None:
    """And goes on without the mark, and otherwise the same; or not at all."""
    frame = replace(CAPTURE, recorded=recorded).encode()[4:]
    assert is_recorded(frame) is recorded
    rest = without_recording(frame)
    assert rest is not None
    assert Capture.decode(rest) == replace(CAPTURE, recorded=False)
    assert without_recording(replace(CAPTURE, recorded=True, mirrored=False).encode()[4:]) is None


@pytest.mark.parametrize("read", [is_recorded, without_recording])
def test_what_is_no_frame_is_not_recorded(read: Callable[[bytes], object]) -> None:
    """Whoever takes it off a socket is told."""
    with pytest.raises(CaptureError):
        read(b"nothing")
