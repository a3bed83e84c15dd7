"""Message heads as values."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Final

from proxy.wire.fields import (
    CONTENT_LENGTH,
    COUNTED,
    DROP,
    FORWARD,
    TRANSFER_ENCODING,
    Field,
    Role,
)
from proxy.wire.framing import NO_BODY
from proxy.wire.target import RequestLine
from proxy.wire.trailers import announced

_NOTHING: Final[list[Field]] = []
_DROP: Final = 1 << Role.DROP.value
_COUNTED: Final = 1 << Role.COUNTED.value
_EXPECT: Final = 1 << Role.EXPECT.value
_ASKED: Final = 1 << Role.ASKED.value
_TRACED: Final = 1 << Role.TRACEPARENT.value
_FRAMING: Final = 1 << Role.CONTENT_LENGTH.value | 1 << Role.TRANSFER_ENCODING.value
"""Roles as bits of a block's `roles`."""


class FieldBlock:
    """What the fields of one message mean, whatever its first line says. Shared, never changed.

    `fields` are those that go on beyond us or say something to us: without hop-by-hop fields, and
    without those that Connection nominated, which end at the next hop. `forwarded` is the lines
    meant for the other side, each with its CRLF. `websocket` says that Upgrade names this and
    nothing else, and that Connection means it; `trailers` is what Trailer announces and may pass.
    `asks` and `traced` tell whether there is a field that asks something of us, or a trace context.
    """

    __slots__ = (
        "asks",
        "closes",
        "counted",
        "encodings",
        "expects_continue",
        "fields",
        "forwarded",
        "host",
        "idle_hint",
        "lengths",
        "persists",
        "traced",
        "trailers",
        "websocket",
    )

    def __init__(self, fields: list[Field], tokens: frozenset[bytes], host: bytes) -> None:
        """Sort the fields; `tokens` are those of Connection: options and nominated names."""
        dropped = _NOTHING
        roles = 0
        lines: list[bytes] = []
        for field in fields:
            roles |= field.bit
            if field.role is FORWARD:
                lines.append(field.line)
        if tokens or roles & _DROP:
            dropped = [field for field in fields if field.role is DROP]
            fields = [f for f in fields if f.role is not DROP and f.name not in tokens]
            lines = [field.line for field in fields if field.role is FORWARD]
            roles = _roles(fields)
        lines.append(b"")
        self.fields: Final = fields
        self.forwarded: Final = b"\r\n".join(lines)
        self.host: Final = host
        self.counted: Final = roles & _COUNTED != 0
        self.expects_continue: Final = roles & _EXPECT != 0
        self.asks: Final = roles & _ASKED != 0
        self.traced: Final = roles & _TRACED != 0
        framed = roles & _FRAMING != 0
        self.lengths: Final = _of_role(fields, CONTENT_LENGTH) if framed else _NOTHING
        self.encodings: Final = _of_role(fields, TRANSFER_ENCODING) if framed else _NOTHING
        self.closes: Final = b"close" in tokens
        self.persists: Final = b"keep-alive" in tokens
        self.idle_hint: Final = _idle_hint(_values(dropped, b"keep-alive")) if dropped else None
        self.trailers: Final = announced(_values(dropped, b"trailer")) if dropped else None
        self.websocket: Final = b"upgrade" in tokens and _is_websocket(dropped)

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        for field in self.fields:
            if field.name == name:
                return field.value
        return None

    def drops(self, allowed: Container[bytes]) -> bool:
        """Whether a field is left out for its name alone: `_` or `.`, and not `allowed`."""
        return any(f.role is COUNTED and f.name not in allowed for f in self.fields)

    def keeps_alive(self, minor: int) -> bool:
        """Whether the connection outlives the message (RFC 9112, 9.3)."""
        return (minor == 1 or self.persists) and not self.closes


class RequestHead:
    """A request understood. Shared by all requests of the same bytes, never changed.

    `length` is the body's framing, `host` the one authority, `keep_alive` what the client wants,
    `websocket` that the connection is asked to become a tunnel (RFC 6455, 4.1). `memo` is room for
    whoever routes by it to remember what was found.
    """

    __slots__ = (
        "block",
        "expects_continue",
        "fields",
        "host",
        "keep_alive",
        "length",
        "memo",
        "method",
        "minor",
        "path",
        "target",
        "websocket",
    )

    def __init__(self, line: RequestLine, block: FieldBlock, length: int) -> None:
        self.method = line.method
        self.path = line.path
        self.target = line.target
        self.minor = line.minor
        self.block = block
        self.fields = block.fields
        self.host = block.host
        self.length = length
        self.keep_alive = block.keeps_alive(line.minor)
        self.expects_continue = block.expects_continue and line.minor == 1 and length != NO_BODY
        self.memo: Any = None
        self.websocket = (
            block.websocket and line.method == "GET" and line.minor == 1 and length == NO_BODY
        )

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        return self.block.get(name)


class ResponseHead:
    """An answer understood. `length` is its body's framing, `keep_alive` what the upstream offers.

    `declared` is the Content-Length it carried, which HEAD and 304 keep although no body follows;
    `idle_hint` is how long the upstream keeps an idle connection, in seconds, where it says so;
    `websocket` that the connection is a tunnel from here on.
    """

    __slots__ = (
        "block",
        "declared",
        "fields",
        "idle_hint",
        "keep_alive",
        "length",
        "minor",
        "reason",
        "status",
        "websocket",
    )

    def __init__(
        self, status: int, reason: bytes, minor: int, block: FieldBlock, length: int
    ) -> None:
        self.status = status
        self.reason = reason
        self.minor = minor
        self.block = block
        self.fields = block.fields
        self.length = length
        self.declared = block.lengths[0].value if block.lengths else None
        self.keep_alive = block.keeps_alive(minor)
        self.idle_hint = block.idle_hint
        self.websocket = status == 101 and block.websocket and minor == 1

    def get(self, name: bytes) -> bytes | None:
        """Give the value of the first field of this lower-case name, or None."""
        return self.block.get(name)


def _roles(fields: list[Field]) -> int:
    roles = 0
    for field in fields:
        roles |= field.bit
    return roles


def _of_role(fields: list[Field], role: Role) -> list[Field]:
    return [field for field in fields if field.role is role]


def _values(fields: list[Field], name: bytes) -> list[bytes]:
    return [field.value for field in fields if field.name == name]


def _is_websocket(dropped: list[Field]) -> bool:
    return [value.lower() for value in _values(dropped, b"upgrade")] == [b"websocket"]


def _idle_hint(values: Iterable[bytes]) -> float | None:
    """Read how long the upstream keeps an idle connection: `Keep-Alive: timeout=5, max=100`."""
    for value in values:
        for token in value.split(b","):
            name, _, number = token.strip(b" \t").partition(b"=")
            if name.lower() == b"timeout" and number.isdigit() and len(number) < 6:
                return float(number)
    return None
