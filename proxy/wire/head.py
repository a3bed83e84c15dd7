"""Heads: the bytes up to the empty line in, one frozen understanding out, or a refusal.

A client sends the same fields with request after request, and an application answers alike within a
second. So what a head means is remembered as a whole, and so is what a block of fields means under
another first line: a head seen before costs one look-up instead of one for each line.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from proxy.wire.errors import RequestError, ResponseError
from proxy.wire.fields import (
    CONNECTION,
    EXPECT,
    FORWARD,
    HOST,
    REQUEST_FIELDS,
    RESPONSE_FIELDS,
    Field,
)
from proxy.wire.framing import NO_BODY, request_length, response_length
from proxy.wire.grammar import BROKEN_LINE, STATUS_LINE
from proxy.wire.grammar import HOST as HOST_RULE
from proxy.wire.memory import Remembered
from proxy.wire.message import FieldBlock, RequestHead, ResponseHead
from proxy.wire.target import RequestLine, read_request_line

FIELDS_MAX: Final = 100
HEADS_KEPT: Final = 2048
HEAD_LONGEST: Final = 2048
"""Heads and blocks that are remembered, each, and the bytes of the longest: a few MB, and some
30 MB at the very most."""

# A Connection field may not strip what framing, routing or the next hop's trust rest on.
_NOT_NOMINATED: Final = frozenset({b"host", b"content-length", b"transfer-encoding"})
_NO_TOKENS: Final[frozenset[bytes]] = frozenset()

_REQUEST_LINES: Final[Remembered[RequestLine]] = Remembered(read_request_line)


def read_request(head: bytes) -> RequestHead:
    """Understand a request's head (without its last empty line); raises RequestError."""
    return _REQUESTS[head]


def _request(head: bytes) -> RequestHead:
    first, _, rest = head.partition(b"\r\n")
    line = _REQUEST_LINES[first]
    block = _REQUEST_BLOCKS[rest]
    if line.authority is not None and line.authority.lower() != block.host.lower():
        raise RequestError(400, "Host differs from the request target's authority")
    length = NO_BODY
    if block.lengths or block.encodings:
        length = request_length(block.lengths, block.encodings, line.minor)
    return RequestHead(line, block, length)


def read_response(head: bytes, method: str) -> ResponseHead:
    """Understand an answer's head; raises ResponseError."""
    # Only HEAD frames answers otherwise than the other methods (RFC 9112, 6.3).
    return _HEAD_RESPONSES[head] if method == "HEAD" else _RESPONSES[head]


def _response(head: bytes, method: str) -> ResponseHead:
    first, _, rest = head.partition(b"\r\n")
    minor, status, reason = read_status_line(first)
    block = _RESPONSE_BLOCKS[rest]
    length = response_length(block.lengths, block.encodings, minor, status, method)
    return ResponseHead(status, reason, minor, block, length)


def read_status_line(line: bytes) -> tuple[int, int, bytes]:
    """Give minor version, status and reason phrase; raises ResponseError."""
    return _STATUS_LINES[line]


def _status_line(line: bytes) -> tuple[int, int, bytes]:
    found = STATUS_LINE.fullmatch(line)
    if found is None:
        raise ResponseError("malformed status line")
    return int(found[1]), int(found[2]), found[3] or b""


_STATUS_LINES: Final[Remembered[tuple[int, int, bytes]]] = Remembered(_status_line, keep=256)


def _is_host(value: bytes) -> bool:
    return HOST_RULE.fullmatch(value) is not None


_IS_HOST: Final[Remembered[bool]] = Remembered(_is_host, keep=256)


def _request_block(block: bytes) -> FieldBlock:
    lines = block.split(b"\r\n") if block else []
    if len(lines) > FIELDS_MAX:
        broken = BROKEN_LINE.search(block) is not None
        raise RequestError(400 if broken else 431, "too many fields")
    fields: list[Field] = []
    hosts: list[bytes] = []
    tokens = _NO_TOKENS
    understood = True
    remembered = REQUEST_FIELDS
    for line in lines:
        field = remembered[line]
        if field is None:
            raise RequestError(400, "malformed field line")
        fields.append(field)
        role = field.role
        if role is FORWARD:
            continue
        if role is HOST:
            hosts.append(field.value)
        elif role is CONNECTION:
            tokens = tokens | _TOKENS[field.value]
        elif role is EXPECT and field.value.lower() != b"100-continue":
            understood = False
    if not hosts:
        raise RequestError(400, "Host is missing")
    if len(hosts) > 1 or not _IS_HOST[hosts[0]]:
        raise RequestError(400, "Host must be one plain authority")
    if tokens and tokens & _NOT_NOMINATED:
        raise RequestError(400, "Connection nominates a field that is not hop-by-hop")
    if not understood:  # last: a broken line may have been refused before this one was complete
        raise RequestError(417, "only 100-continue can be expected")
    return FieldBlock(fields, tokens, hosts[0])


def _response_block(block: bytes) -> FieldBlock:
    lines = block.split(b"\r\n") if block else []
    if len(lines) > FIELDS_MAX:
        raise ResponseError("too many fields")
    fields: list[Field] = []
    tokens = _NO_TOKENS
    remembered = RESPONSE_FIELDS
    for line in lines:
        field = remembered[line]
        if field is None:
            raise ResponseError("malformed field line")
        fields.append(field)
        if field.role is CONNECTION:
            tokens = tokens | _TOKENS[field.value]
    # An application that nominates its own framing means nothing by it; the framing stays.
    return FieldBlock(fields, tokens - _NOT_NOMINATED, b"")


def _tokens(value: bytes) -> frozenset[bytes]:
    return frozenset(token.strip(b" \t").lower() for token in value.split(b",")) - {b""}


_TOKENS: Final[Remembered[frozenset[bytes]]] = Remembered(_tokens, keep=256)
_REQUEST_BLOCKS: Final = Remembered(_request_block, HEADS_KEPT, HEAD_LONGEST)
_RESPONSE_BLOCKS: Final = Remembered(_response_block, HEADS_KEPT, HEAD_LONGEST)
_REQUESTS: Final = Remembered(_request, HEADS_KEPT, HEAD_LONGEST)
_RESPONSES: Final = Remembered(partial(_response, method="GET"), HEADS_KEPT, HEAD_LONGEST)
_HEAD_RESPONSES: Final = Remembered(partial(_response, method="HEAD"), HEADS_KEPT, HEAD_LONGEST)
