"""The chunked transfer coding (RFC 9112, 7.1): bytes in, payload and trailers out.

Extensions are thrown away. What becomes of the trailers is decided elsewhere (`trailers`).
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Final

from proxy.wire.errors import WireError
from proxy.wire.grammar import CHUNK_LINE, FIELD_LINE

LINE_MAX: Final = 300
TRAILER_MAX: Final = 8192


class _Expect(Enum):
    SIZE = auto()
    DATA = auto()
    DATA_END = auto()
    TRAILER = auto()
    DONE = auto()


class ChunkedReader:
    """Decodes one body: `take` gives payload, `done` says that the trailers have passed.

    `trailers` are their lines as they came, valid ones, without CRLF.
    """

    __slots__ = ("_expect", "_left", "_trailer", "trailers")

    def __init__(self) -> None:
        self._expect = _Expect.SIZE
        self._left = 0
        self._trailer = 0
        self.trailers: list[bytes] = []

    @property
    def done(self) -> bool:
        """Whether the whole body has been read."""
        return self._expect is _Expect.DONE

    def take(self, data: bytes) -> tuple[bytes, bytes]:
        """Decode what can be decoded; gives (payload, the rest: an unfinished line, or surplus).

        Raises WireError when the coding is broken; payload before the break is given first, so
        that what is seen does not depend on how the bytes were split.
        """
        payload: list[bytes] = []
        at = 0
        try:
            while at < len(data) and self._expect is not _Expect.DONE:
                if self._expect is _Expect.DATA:
                    piece = data[at : at + self._left]
                    payload.append(piece)
                    at += len(piece)
                    self._left -= len(piece)
                    if not self._left:
                        self._expect = _Expect.DATA_END
                    continue
                end = self._line_end(data, at)
                if end < 0:
                    break
                self._line(data[at:end])
                at = end + 2
        except WireError:
            if not payload:
                raise
        return b"".join(payload), data[at:]

    def _line_end(self, data: bytes, at: int) -> int:
        limit = LINE_MAX
        if self._expect is not _Expect.SIZE:
            limit = 0 if self._expect is _Expect.DATA_END else TRAILER_MAX
        end = data.find(b"\r\n", at, at + limit + 2)
        if end < 0:
            # A CR may be the first half of the line's end; any other control is an error already.
            rest = data[at : at + limit + 2]
            if len(rest) >= limit + 2 or b"\n" in rest or b"\r" in rest[:-1]:
                raise WireError("malformed chunk")
            if self._expect is _Expect.DATA_END and rest != b"\r":
                raise WireError("a chunk is longer than it said")
        return end

    def _line(self, line: bytes) -> None:
        if self._expect is _Expect.DATA_END:
            self._expect = _Expect.SIZE
        elif self._expect is _Expect.SIZE:
            found = CHUNK_LINE.fullmatch(line)
            if found is None:
                raise WireError("malformed chunk size")
            self._left = int(found[1], 16)
            self._expect = _Expect.DATA if self._left else _Expect.TRAILER
        elif not line:
            self._expect = _Expect.DONE
        else:
            self._trailer += len(line) + 2
            if FIELD_LINE.fullmatch(line) is None or self._trailer > TRAILER_MAX:
                raise WireError("malformed trailer")
            self.trailers.append(line)


def chunk(data: bytes) -> bytes:
    """Write one chunk; `data` must not be empty."""
    return b"%x\r\n%b\r\n" % (len(data), data)


LAST_CHUNK: Final = b"0\r\n\r\n"


def last_chunk(trailers: bytes) -> bytes:
    """Write the end of a body; `trailers` is lines, each with its CRLF."""
    return b"0\r\n%b\r\n" % trailers
