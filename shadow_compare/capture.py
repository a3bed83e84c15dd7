"""One mirrored request and the primary's answer to it, as a value that crosses a socket.

The data plane writes captures and never reads an answer; a shadow worker reads them. So whatever
can be left to the reader is: header sections travel as the lines that the data plane has at hand
anyway. On the wire a capture is one frame: its length in 4 bytes, a head of fixed size with numbers
and lengths, and then, without anything between, the texts and bodies in the order of `_PARTS`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

Headers = tuple[tuple[str, str], ...]

FRAME_MAX = 16 * 1024 * 1024
"""No frame is longer than this many bytes; a longer one means that the stream is out of step."""

LEGACY: Final = "legacy"
MODERN: Final = "modern"

_FORM: Final = 2
"""Changes with the layout: processes of two versions may meet at an upgrade."""

_HEAD: Final = struct.Struct("!BBHQQddHHHIIIIII")
"""Form, flags, status, rules version, identity, at, latency; then the length of each of `_PARTS`
but the last, which takes the rest."""

_PARTS: Final = (
    "id", "route", "method", "target", "host", "provenance", "request fields", "answer fields",
    "request body", "answer body",
)  # fmt: skip

_BY_MODERN: Final = 1
_TRUNCATED: Final = 2
_RECORDED: Final = 4
_NOT_MIRRORED: Final = 8
_FLAGS: Final = _BY_MODERN | _TRUNCATED | _RECORDED | _NOT_MIRRORED


class CaptureError(ValueError):
    """The bytes are not a capture."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What was asked and what the primary answered.

    `target` is path and query as forwarded. Header values are latin-1 text, names lower case; the
    request's begin with Host. Bodies are as on the wire after de-framing (content encoding
    untouched); `truncated` says that the answer's body was longer than the cap. `identity` is a
    hash. `at` is wall-clock seconds, `latency` the primary's time to the complete answer in
    seconds. `version` is the rules version in force. `provenance` is what the primary was told of
    the client and of the way to it: X-Forwarded-*, Forwarded, Via; and the trace context of an
    exchange that is traced. What is `recorded` is written
    down for a later replay; it need not be `mirrored`, and then has no answer's body.
    """

    id: str
    route: str
    method: str
    target: str
    request_headers: Headers
    request_body: bytes
    primary: str
    status: int
    headers: Headers
    body: bytes
    truncated: bool
    at: float
    latency: float
    identity: int
    version: int
    provenance: Headers = ()
    recorded: bool = False
    mirrored: bool = True

    def encode(self) -> bytes:
        """One frame, ready to be written to a stream."""
        (_, host), *fields = self.request_headers
        return pack(
            self.primary == MODERN,
            self.truncated,
            self.status,
            self.version,
            self.identity,
            self.at,
            self.latency,
            self.id.encode("ascii"),
            self.route.encode(),
            self.method.encode("ascii"),
            self.target.encode("latin-1"),
            host.encode("latin-1"),
            _lines(self.provenance),
            _lines(fields),
            _lines(self.headers),
            self.request_body,
            (self.body,),
            recorded=self.recorded,
            mirrored=self.mirrored,
        )

    @classmethod
    def decode(cls, frame: bytes) -> Capture:
        """From a frame without its leading total length; raises CaptureError."""
        numbers, parts = _unpacked(frame)
        flags, status, version, identity, at, latency = numbers
        identifier, route, method, target, host, provenance, asked, answered, sent, body = parts
        try:
            return cls(
                id=identifier.decode("ascii"),
                route=route.decode(),
                method=method.decode("ascii"),
                target=target.decode("latin-1"),
                request_headers=(("host", host.decode("latin-1")), *_pairs(asked)),
                request_body=sent,
                primary=MODERN if flags & _BY_MODERN else LEGACY,
                status=status,
                headers=_pairs(answered),
                body=body,
                truncated=bool(flags & _TRUNCATED),
                at=at,
                latency=latency,
                identity=identity,
                version=version,
                provenance=_pairs(provenance),
                recorded=bool(flags & _RECORDED),
                mirrored=not flags & _NOT_MIRRORED,
            )
        except UnicodeDecodeError as error:
            raise CaptureError(f"not a capture: {error}") from error


def pack(
    by_modern: bool,
    truncated: bool,
    status: int,
    version: int,
    identity: int,
    at: float,
    latency: float,
    identifier: bytes,
    route: bytes,
    method: bytes,
    target: bytes,
    host: bytes,
    provenance: bytes,
    fields: bytes,
    answer_fields: bytes,
    body: bytes,
    answer_body: Sequence[bytes],
    recorded: bool = False,
    mirrored: bool = True,
) -> bytes:
    """Write a frame from what stands ready; header sections are lines with their CRLF.

    On the hot path of what is mirrored: with one member of JSON for each header it took 17 us.
    """
    flags = (_BY_MODERN if by_modern else 0) | (_TRUNCATED if truncated else 0)
    flags |= (_RECORDED if recorded else 0) | (0 if mirrored else _NOT_MIRRORED)
    head = _HEAD.pack(
        _FORM, flags, status, version, identity, at, latency, len(identifier), len(route),
        len(method), len(target), len(host), len(provenance), len(fields), len(answer_fields),
        len(body),
    )  # fmt: skip
    rest = b"".join(
        (
            head, identifier, route, method, target, host, provenance, fields, answer_fields, body,
            *answer_body,
        )
    )  # fmt: skip
    return len(rest).to_bytes(4, "big") + rest


def route_of(frame: bytes) -> str:
    """Give the route of a frame without reading the rest; raises CaptureError."""
    return _text(frame, 1)


def method_of(frame: bytes) -> str:
    """Give the method of a frame without reading the rest; raises CaptureError."""
    return _text(frame, 2)


def is_recorded(frame: bytes) -> bool:
    """Whether a frame is to be written down for a later replay; raises CaptureError."""
    return bool(_checked(frame)[1] & _RECORDED)


def without_recording(frame: bytes) -> bytes | None:
    """Give a frame that has been written down as one to be compared, or None if it is not to be.

    Raises CaptureError.
    """
    flags = _checked(frame)[1]
    if flags & _NOT_MIRRORED:
        return None
    return frame[:1] + bytes((flags & ~_RECORDED,)) + frame[2:]


_Numbers = tuple[int, int, int, int, float, float]


def _text(frame: bytes, part: int) -> str:
    lengths = _checked(frame)[7:]
    start = _HEAD.size + sum(lengths[:part])
    try:
        return frame[start : start + lengths[part]].decode()
    except UnicodeDecodeError as error:
        raise CaptureError(f"not a capture: {error}") from error


def _unpacked(frame: bytes) -> tuple[_Numbers, list[bytes]]:
    _, flags, status, version, identity, at, latency, *lengths = _checked(frame)
    parts: list[bytes] = []
    start = _HEAD.size
    for length in lengths:
        parts.append(frame[start : start + length])
        start += length
    parts.append(frame[start:])
    return (flags, status, version, identity, at, latency), parts


def _checked(frame: bytes) -> tuple[Any, ...]:
    """Read the head of a frame, all of whose parts are there."""
    try:
        found = _HEAD.unpack_from(frame)
    except struct.error as error:
        raise CaptureError(f"not a capture: {error}") from error
    if found[0] != _FORM or found[1] & ~_FLAGS:
        raise CaptureError(f"a capture of form {found[0]}, flags {found[1]}: another version")
    if sum(found[7:]) > len(frame) - _HEAD.size:
        raise CaptureError("a capture whose end is missing")
    if not (math.isfinite(found[5]) and math.isfinite(found[6])):
        raise CaptureError("a capture of no time")
    return found


def _lines(headers: Sequence[tuple[str, str]]) -> bytes:
    return "".join(f"{name}: {value}\r\n" for name, value in headers).encode("latin-1")


def _pairs(block: bytes) -> Headers:
    """Read header lines; none of them has a CR or LF, which the data plane refuses."""
    pairs = []
    for line in block.decode("latin-1").split("\r\n")[:-1]:
        name, colon, value = line.partition(": ")
        if not colon:
            raise CaptureError(f"not a header: {line[:80]!r}")
        pairs.append((name.lower(), value))
    return tuple(pairs)


class FrameReader:
    """Cuts a byte stream into frames; feed it whatever arrived."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Give the frames now complete, without their leading length.

        Raises CaptureError when a length is beyond FRAME_MAX.
        """
        buffer = self._buffer
        buffer += data
        frames: list[bytes] = []
        start = 0
        while len(buffer) - start >= 4:
            length = int.from_bytes(buffer[start : start + 4], "big")
            if length > FRAME_MAX:
                raise CaptureError(f"frame of {length} bytes: the stream is out of step")
            end = start + 4 + length
            if len(buffer) < end:
                break
            frames.append(bytes(buffer[start + 4 : end]))
            start = end
        if start:
            del buffer[:start]
        return frames
