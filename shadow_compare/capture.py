"""One mirrored request and the primary's answer to it, as a value that crosses a socket.

The data plane writes captures and never reads an answer; a shadow worker reads them. On the wire
a capture is one frame: total length, length of the JSON part, the JSON part, request body, answer
body.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

Headers = tuple[tuple[str, str], ...]

FRAME_MAX = 16 * 1024 * 1024
"""No frame is longer than this many bytes; a longer one means that the stream is out of step."""


class CaptureError(ValueError):
    """The bytes are not a capture."""


@dataclass(frozen=True, slots=True)
class Capture:
    """What was asked and what the primary answered.

    `target` is path and query as forwarded. Header values are latin-1 text, names lower case.
    Bodies are as on the wire after de-framing (content encoding untouched); `truncated` says that
    the answer's body was longer than the cap. `identity` is a hash. `at` is wall-clock seconds,
    `latency` the primary's time to the complete answer in seconds. `version` is the rules version
    in force.
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

    def encode(self) -> bytes:
        """One frame, ready to be written to a stream."""
        meta = orjson.dumps(
            {
                "id": self.id,
                "route": self.route,
                "method": self.method,
                "target": self.target,
                "request_headers": self.request_headers,
                "primary": self.primary,
                "status": self.status,
                "headers": self.headers,
                "truncated": self.truncated,
                "at": self.at,
                "latency": self.latency,
                "identity": self.identity,
                "version": self.version,
                "request_length": len(self.request_body),
            }
        )
        total = 4 + len(meta) + len(self.request_body) + len(self.body)
        return b"".join(
            (
                total.to_bytes(4, "big"),
                len(meta).to_bytes(4, "big"),
                meta,
                self.request_body,
                self.body,
            )
        )

    @classmethod
    def decode(cls, frame: bytes) -> Capture:
        """From a frame without its leading total length; raises CaptureError."""
        try:
            meta_end = 4 + int.from_bytes(frame[:4], "big")
            meta: dict[str, Any] = orjson.loads(frame[4:meta_end])
            body_start = meta_end + meta.pop("request_length")
            capture = cls(
                request_headers=_pairs(meta.pop("request_headers")),
                headers=_pairs(meta.pop("headers")),
                request_body=frame[meta_end:body_start],
                body=frame[body_start:],
                **meta,
            )
            _check(capture)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise CaptureError(f"not a capture: {error}") from error
        return capture


def _check(capture: Capture) -> None:
    """Refuse members of a wrong type: what is counted by route must find a string there."""
    texts = [capture.id, capture.route, capture.method, capture.target]
    texts += [part for pair in (*capture.request_headers, *capture.headers) for part in pair]
    if not all(isinstance(text, str) for text in texts):
        raise TypeError("a member that is text is not")
    if capture.primary not in ("legacy", "modern"):
        raise ValueError(f"no side {capture.primary!r}")
    numbers = (capture.status, capture.at, capture.latency, capture.identity, capture.version)
    if not all(isinstance(number, int | float) for number in numbers):
        raise TypeError("a member that is a number is not")


def _pairs(data: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in data)


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
