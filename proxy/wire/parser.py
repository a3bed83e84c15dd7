"""Bytes in, events out: one parser per connection and direction, no callbacks, no I/O.

    request  = head *data end          events: RequestHead, bytes…, END
    response = *interim head *data end events: ResponseHead…, bytes…, END

`receive` takes what arrived, `next` gives the next event or None when more bytes are needed. With
the last piece of a message `ended` is true, so that nobody need ask for END. After END nothing
more is given until `restart`, so that pipelined requests wait for their turn, and bytes beyond an
answer are seen as what they are: surplus.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from enum import Enum
from typing import Final, TypeAlias

from proxy.wire.chunked import ChunkedReader
from proxy.wire.errors import RequestError, ResponseError, WireError
from proxy.wire.framing import CHUNKED, NO_BODY, UNTIL_CLOSE
from proxy.wire.grammar import BROKEN_LINE
from proxy.wire.head import read_request, read_response, read_status_line
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.target import LINE_MAX, read_request_line, too_long

HEAD_MAX: Final = 32_768
INTERIM_MAX: Final = 8


class End(Enum):
    """The message is complete."""

    END = "end"


END: Final = End.END

RequestEvent: TypeAlias = RequestHead | bytes | End
ResponseEvent: TypeAlias = ResponseHead | bytes | End


class _Parser(ABC):
    """What both directions share: buffering, heads, and bodies."""

    __slots__ = ("_buffer", "_chunks", "_in_body", "_left", "_searched", "ended")

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0
        self._in_body = False
        self._left = NO_BODY
        self._chunks: ChunkedReader | None = None
        self.ended = False

    @property
    def waiting(self) -> int:
        """How many bytes have arrived and were not read yet."""
        return len(self._buffer)

    @property
    def trailers(self) -> Sequence[bytes]:
        """Lines that came behind a chunked body, valid ones, without CRLF; known at its END."""
        return () if self._chunks is None else self._chunks.trailers

    def receive(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer = self._buffer + data if self._buffer else data

    def take_rest(self) -> bytes:
        """Give what has arrived behind the head of a message that turned the connection over."""
        rest, self._buffer = self._buffer, b""
        return rest

    def _take_head(self) -> bytes | None:
        """Cut a complete head off the buffer, without its empty line."""
        buffer = self._buffer
        end = buffer.find(b"\r\n\r\n", max(0, self._searched - 3), HEAD_MAX + 4)
        if end < 0:
            self._check_unfinished(buffer)
            self._searched = len(buffer)
            return None
        self._searched = 0
        self._buffer = buffer[end + 4 :]
        return buffer[:end]

    @abstractmethod
    def _check_unfinished(self, buffer: bytes) -> None:
        """Refuse at once what no further bytes can mend.

        In the same order as if all bytes had come at once: the verdict on a message must not
        depend on how the network split it.
        """

    def _begin_body(self, length: int) -> None:
        """Go on with a body of this framing."""
        self._in_body = True
        self._left = length
        self._chunks = ChunkedReader() if length == CHUNKED else None
        self.ended = length == NO_BODY

    def _take_body(self) -> bytes | End | None:
        if self._chunks is not None:
            return self._take_chunks(self._chunks)
        left = self._left
        if left == UNTIL_CLOSE:
            data, self._buffer = self._buffer, b""
            return data or None
        if left == NO_BODY:
            return self._end()
        data = self._buffer
        if not data:
            return None
        if len(data) > left:
            data, self._buffer = data[:left], data[left:]
        else:
            self._buffer = b""
        self._left = left = left - len(data)
        self.ended = not left
        return data

    def _take_chunks(self, chunks: ChunkedReader) -> bytes | End | None:
        if self._buffer and not chunks.done:
            data, self._buffer = chunks.take(self._buffer)
            if data:
                return data
        return self._end() if chunks.done else None

    def _end(self) -> End:
        self._in_body = False
        self.ended = True
        return END


class RequestParser(_Parser):
    """Reads the requests of one client connection."""

    __slots__ = ("_blank_seen", "_line_seen")

    def __init__(self) -> None:
        super().__init__()
        self._blank_seen = False
        self._line_seen = False

    def next(self) -> RequestEvent | None:
        """Give the next event; raises RequestError, after which the connection must be closed."""
        if self._in_body:
            try:
                return self._take_body()
            except WireError as error:
                raise RequestError(400, error.reason) from error
        if self.ended or not self._buffer:
            return None
        # RFC 9112, 2.2: an empty line before a request is forgiven. One, not any number.
        if not self._blank_seen and self._buffer.startswith(b"\r\n"):
            self._buffer = self._buffer[2:]
            self._searched = 0
            self._blank_seen = True
        head = self._take_head()
        if head is None:
            return None
        request = read_request(head)
        self._begin_body(request.length)
        return request

    def restart(self) -> None:
        """Go on to the next request of the connection."""
        self.ended = False
        self._in_body = False
        self._blank_seen = self._line_seen = False

    def _check_unfinished(self, buffer: bytes) -> None:
        if not self._line_seen:
            end = buffer.find(b"\r\n", 0, LINE_MAX + 2)
            if end >= 0:
                read_request_line(buffer[:end])
                self._line_seen = True
            elif len(buffer) >= LINE_MAX + 2:
                raise too_long(buffer)
        if BROKEN_LINE.search(buffer, max(0, self._searched - 1), HEAD_MAX + 4):
            raise RequestError(400, "a line does not end in CR LF")
        if len(buffer) >= HEAD_MAX + 4:
            raise RequestError(431, "the header section is too large")


class ResponseParser(_Parser):
    """Reads the answers of one upstream connection; `restart` before each request."""

    __slots__ = ("_head_seen", "_interim", "_method", "until_close")

    def __init__(self, method: str) -> None:
        super().__init__()
        self.restart(method)

    def restart(self, method: str) -> None:
        """Expect the answer to a request of this method, and nothing else."""
        self._buffer = b""
        self._searched = 0
        self._in_body = False
        self.ended = False
        self._method = method
        self._interim = 0
        self._head_seen = False
        self.until_close = False

    @property
    def started(self) -> bool:
        """Whether any byte of the answer has arrived."""
        return self._head_seen or bool(self._buffer) or self._interim > 0

    def next(self) -> ResponseEvent | None:
        """Give the next event; raises ResponseError. Interim (1xx) heads come without END."""
        if self._in_body:
            try:
                return self._take_body()
            except WireError as error:
                raise ResponseError(error.reason) from error
        if self.ended or not self._buffer:
            return None
        head = self._take_head()
        if head is None:
            return None
        response = read_response(head, self._method)
        if response.status < 200:
            self._interim += 1
            if self._interim > INTERIM_MAX:
                raise ResponseError("too many interim answers")
            return response
        self._head_seen = True
        self.until_close = response.length == UNTIL_CLOSE
        self._begin_body(response.length)
        return response

    def _check_unfinished(self, buffer: bytes) -> None:
        end = buffer.find(b"\r\n")
        if end >= 0:
            read_status_line(buffer[:end])
        elif buffer[:7] != b"HTTP/1."[: len(buffer)]:
            raise ResponseError("this is not HTTP/1.1")
        if BROKEN_LINE.search(buffer, max(0, self._searched - 1)):
            raise ResponseError("a line does not end in CR LF")
        if len(buffer) >= HEAD_MAX + 4:
            raise ResponseError("the header section is too large")

    def finish(self) -> End | None:
        """Say that the upstream closed: END if this body ends so, None if it was cut off."""
        if self._in_body and self.until_close and not self.ended:
            return self._end()
        return None
