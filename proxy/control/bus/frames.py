"""Messages as bytes: a 4-byte big-endian length, then the JSON array `[kind, payload]`."""

from __future__ import annotations

from typing import Any

import orjson

FRAME_MAX = 64 * 1024 * 1024
"""No frame is longer than this many bytes; a longer one means that the stream is out of step."""

_HEAD = 4


class FrameError(ValueError):
    """The bytes are not a frame of this protocol."""


def encode(kind: str, payload: dict[str, Any]) -> bytes:
    """Give one message as a frame."""
    body = orjson.dumps([kind, payload], option=orjson.OPT_NON_STR_KEYS)
    return len(body).to_bytes(_HEAD, "big") + body


class FrameReader:
    """Cuts a stream of bytes into messages, however the bytes were split on the way."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[str, dict[str, Any]]]:
        """Take the next bytes and give the messages they complete.

        Raises FrameError when the stream cannot be read any further.
        """
        self._buffer += data
        messages = []
        start = 0
        while (end := self._end_of_frame(start)) is not None:
            messages.append(_decode(bytes(self._buffer[start + _HEAD : end])))
            start = end
        if start:
            del self._buffer[:start]
        return messages

    def _end_of_frame(self, start: int) -> int | None:
        """Index behind the frame that begins at `start`, or None while it is incomplete."""
        if len(self._buffer) < start + _HEAD:
            return None
        length = int.from_bytes(self._buffer[start : start + _HEAD], "big")
        if length > FRAME_MAX:
            raise FrameError(f"a frame of {length} bytes is longer than the {FRAME_MAX} allowed")
        end = start + _HEAD + length
        return end if len(self._buffer) >= end else None


def _decode(body: bytes) -> tuple[str, dict[str, Any]]:
    """Read one frame's JSON."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise FrameError(f"a frame is not JSON: {error}") from error
    match message:
        case [str() as kind, dict() as payload]:
            return kind, payload
        case _:
            raise FrameError("a frame is not [kind, payload]")
