"""Bytes in, events out: one parser per connection and direction, no callbacks, no I/O.

    request  = head *data end          events: RequestHead, bytes…, END
    response = *interim head *data end events: ResponseHead…, bytes…, END

`receive` takes what arrived, `next` gives the next event or None when more bytes are needed. After
END nothing more is given until `restart`, so that pipelined requests wait for their turn, and bytes
beyond an answer are seen as what they are: surplus.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, TypeAlias

from proxy.wire.chunked import ChunkedReader
from proxy.wire.errors import RequestError, ResponseError, WireError
from proxy.wire.fields import REQUEST_FIELDS, RESPONSE_FIELDS, Field, Remembered, Role
from proxy.wire.framing import (
    CHUNKED,
    NO_BODY,
    UNTIL_CLOSE,
    request_length,
    response_length,
    sort_out,
)
from proxy.wire.grammar import BROKEN_LINE, HOST, STATUS_LINE
from proxy.wire.message import RequestHead, ResponseHead
from proxy.wire.target import LINE_MAX, RequestLine, read_request_line, too_long

HEAD_MAX: Final = 32_768
FIELDS_MAX: Final = 100
INTERIM_MAX: Final = 8


class End(Enum):
    """The message is complete."""

    END = "end"


END: Final = End.END

RequestEvent: TypeAlias = RequestHead | bytes | End
ResponseEvent: TypeAlias = ResponseHead | bytes | End

_REQUEST_LINES: Final[Remembered[RequestLine]] = Remembered(read_request_line)
_HOP_FIELDS_NONE: Final[frozenset[bytes]] = frozenset()

# A Connection field may not strip what framing, routing or the next hop's trust rest on.
_NOT_NOMINATED: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})


class _Body:
    """What is left to read of one body."""

    __slots__ = ("chunks", "left")

    def __init__(self, length: int) -> None:
        self.chunks = ChunkedReader() if length == CHUNKED else None
        self.left = length


class _Parser:
    """What both directions share: buffering, heads, and bodies."""

    __slots__ = ("_body", "_buffer", "_searched", "ended")

    def __init__(self) -> None:
        self._buffer = b""
        self._searched = 0
        self._body: _Body | None = None
        self.ended = False

    @property
    def waiting(self) -> int:
        """How many bytes have arrived and were not read yet."""
        return len(self._buffer)

    def receive(self, data: bytes) -> None:
        """Take what arrived."""
        self._buffer = self._buffer + data if self._buffer else data

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

    def _check_unfinished(self, buffer: bytes) -> None:
        """Refuse at once what no further bytes can mend.

        In the same order as if all bytes had come at once: the verdict on a message must not
        depend on how the network split it.
        """
        raise NotImplementedError

    def _take_body(self, body: _Body) -> bytes | End | None:
        if body.chunks is not None:
            return self._take_chunks(body.chunks)
        if body.left == UNTIL_CLOSE:
            data, self._buffer = self._buffer, b""
            return data or None
        if body.left == NO_BODY:
            return self._end()
        data = self._buffer
        if not data:
            return None
        if len(data) > body.left:
            data, self._buffer = data[: body.left], data[body.left :]
        else:
            self._buffer = b""
        body.left -= len(data)
        return data

    def _take_chunks(self, chunks: ChunkedReader) -> bytes | End | None:
        if self._buffer and not chunks.done:
            data, self._buffer = chunks.take(self._buffer)
            if data:
                return data
        return self._end() if chunks.done else None

    def _end(self) -> End:
        self._body = None
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
        if self._body is not None:
            try:
                return self._take_body(self._body)
            except RequestError:
                raise
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
        self._body = _Body(request.length)
        return request

    def restart(self) -> None:
        """Go on to the next request of the connection."""
        self.ended = False
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
    """Reads the answer to one request; make a new one for the next."""

    __slots__ = ("_head_seen", "_interim", "_method", "until_close")

    def __init__(self, method: str) -> None:
        super().__init__()
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
        if self._body is not None:
            try:
                return self._take_body(self._body)
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
        self._body = _Body(response.length)
        return response

    def _check_unfinished(self, buffer: bytes) -> None:
        end = buffer.find(b"\r\n")
        if end >= 0:
            _read_status_line(buffer[:end])
        elif buffer[:7] != b"HTTP/1."[: len(buffer)]:
            raise ResponseError("this is not HTTP/1.1")
        if BROKEN_LINE.search(buffer, max(0, self._searched - 1)):
            raise ResponseError("a line does not end in CR LF")
        if len(buffer) >= HEAD_MAX + 4:
            raise ResponseError("the header section is too large")

    def finish(self) -> End | None:
        """Say that the upstream closed: END if this body ends so, None if it was cut off."""
        if self._body is not None and self.until_close and not self.ended:
            return self._end()
        return None


def read_request(head: bytes) -> RequestHead:
    """Understand a request's head (without its last empty line); raises RequestError."""
    lines = head.split(b"\r\n")
    line = _REQUEST_LINES[lines[0]]
    if len(lines) > FIELDS_MAX + 1:
        broken = BROKEN_LINE.search(head) is not None
        raise RequestError(400 if broken else 431, "too many fields")
    fields: list[Field] = []
    special: list[Field] = []
    remembered = REQUEST_FIELDS
    forward = Role.FORWARD  # a local: this comparison runs for every field of every request
    for index in range(1, len(lines)):
        field = remembered[lines[index]]
        if field is None:
            raise RequestError(400, "malformed field line")
        role = field.role
        if role is forward:
            fields.append(field)
        elif role is Role.DROP:
            continue
        else:
            special.append(field)
            fields.append(field)
    return _request(line, fields, special)


def _request(line: RequestLine, fields: list[Field], special: list[Field]) -> RequestHead:
    host: bytes | None = None
    lengths: list[Field] = []
    encodings: list[Field] = []
    keep_alive = line.minor == 1
    expects = False
    hop_fields = _HOP_FIELDS_NONE
    for field in special:
        role = field.role
        if role is Role.HOST:
            if host is not None or HOST.fullmatch(field.value) is None:
                raise RequestError(400, "Host must be one plain authority")
            host = field.value
        elif role is Role.CONNECTION:
            tokens = _tokens(field.value)
            keep_alive = (keep_alive or b"keep-alive" in tokens) and b"close" not in tokens
            hop_fields = hop_fields | (tokens - {b"close", b"keep-alive"})
        elif role is Role.CONTENT_LENGTH:
            lengths.append(field)
        elif role is Role.TRANSFER_ENCODING:
            encodings.append(field)
        elif role is Role.EXPECT:
            if field.value.lower() != b"100-continue":
                raise RequestError(417, "only 100-continue can be expected")
            expects = line.minor == 1
    if host is None:
        raise RequestError(400, "Host is missing")
    if line.authority is not None and line.authority.lower() != host.lower():
        raise RequestError(400, "Host differs from the request target's authority")
    if hop_fields & _NOT_NOMINATED:
        raise RequestError(400, "Connection nominates a field that is not hop-by-hop")
    length = request_length(lengths, encodings, line.minor) if lengths or encodings else NO_BODY
    if hop_fields:  # RFC 9110, 7.6.1: they end here, before anything is read from them
        fields = [field for field in fields if field.name not in hop_fields]
    return RequestHead(
        line.method,
        line.path,
        line.target,
        line.minor,
        fields,
        host,
        length,
        keep_alive,
        expects and length != NO_BODY,
    )


def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip(b" \t").lower() for token in value.split(b",")) - {b""}


_STATUS_LINES: Final[Remembered[tuple[int, int, bytes] | None]] = Remembered(
    lambda line: _status_line(line), keep=256
)


def _status_line(line: bytes) -> tuple[int, int, bytes] | None:
    found = STATUS_LINE.fullmatch(line)
    return None if found is None else (int(found[1]), int(found[2]), found[3] or b"")


def _read_status_line(line: bytes) -> tuple[int, int, bytes]:
    found = _STATUS_LINES[line]
    if found is None:
        raise ResponseError("malformed status line")
    return found


def read_response(head: bytes, method: str) -> ResponseHead:
    """Understand an answer's head; raises ResponseError."""
    lines = head.split(b"\r\n")
    minor, status, reason = _read_status_line(lines[0])
    if len(lines) > FIELDS_MAX + 1:
        raise ResponseError("too many fields")
    fields: list[Field] = []
    special = False
    keep_alive = minor == 1
    idle_hint = None
    hop_fields = _HOP_FIELDS_NONE
    remembered = RESPONSE_FIELDS
    forward = Role.FORWARD
    for index in range(1, len(lines)):
        field = remembered[lines[index]]
        if field is None:
            raise ResponseError("malformed field line")
        role = field.role
        if role is forward:
            fields.append(field)
        elif role is Role.CONNECTION:
            tokens = _tokens(field.value)
            keep_alive = (keep_alive or b"keep-alive" in tokens) and b"close" not in tokens
            hop_fields = hop_fields | (tokens - {b"close", b"keep-alive"})
        elif role is Role.DROP:
            if field.name == b"keep-alive":
                idle_hint = _idle_hint(field.value)
        else:
            special = True
            fields.append(field)
    lengths, encodings = sort_out(fields) if special else ([], [])
    length = response_length(lengths, encodings, minor, status, method)
    declared = lengths[0].value if lengths else None
    if hop_fields:
        fields = [field for field in fields if field.name not in hop_fields]
    return ResponseHead(status, reason, minor, fields, length, declared, keep_alive, idle_hint)


def _idle_hint(value: bytes) -> float | None:
    """Read how long the upstream keeps an idle connection: `timeout=5, max=100`."""
    for token in value.split(b","):
        name, _, number = token.strip(b" \t").partition(b"=")
        if name.lower() == b"timeout" and number.isdigit() and len(number) < 6:
            return float(number)
    return None
