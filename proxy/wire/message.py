"""Message heads as values."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import Any, Final

from proxy.wire.fields import (
    CONTENT_LENGTH,
    COUNTED,
    DROP,
    EXPECT,
    FORWARD,
    TRANSFER_ENCODING,
    Field,
)
from proxy.wire.framing import NO_BODY
from proxy.wire.target import RequestLine
from proxy.wire.trailers import announced

_NOTHING_SAID: Final[dict[bytes, list[bytes]]] = {}


class FieldBlock:
    """What the fields of one message mean, whatever its first line says. Shared, never changed.

    `fields` are those that go on beyond us or say something to us: without hop-by-hop fields, and
    without those that Connection nominated, which end at the next hop. `forwarded` is the lines
    meant for the other side, each with its CRLF. `websocket` says that Upgrade names this and
    nothing else, and that Connection means it; `trailers` is what Trailer announces and may pass.
    """

    __slots__ = (
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
        "trailers",
        "values",
        "websocket",
    )

    def __init__(self, fields: list[Field], tokens: frozenset[bytes], host: bytes) -> None:
        """Sort the fields; `tokens` are those of Connection: options and nominated names."""
        kept: list[Field] = []
        lines: list[bytes] = []
        lengths: list[Field] = []
        encodings: list[Field] = []
        dropped: list[Field] = []
        values: dict[bytes, bytes] = {}
        counted = expects = False
        for field in fields:
            role, name = field.role, field.name
            if role is DROP:
                dropped.append(field)
                continue
            if tokens and name in tokens:
                continue
            kept.append(field)
            if name not in values:
                values[name] = field.value
            if role is FORWARD:
                lines.append(field.line)
            elif role is CONTENT_LENGTH:
                lengths.append(field)
            elif role is TRANSFER_ENCODING:
                encodings.append(field)
            elif role is COUNTED:
                counted = True
            elif role is EXPECT:
                expects = True
        lines.append(b"")
        self.fields: Final = tuple(kept)
        self.values: Final = values
        self.forwarded: Final = b"\r\n".join(lines)
        self.counted: Final = counted
        self.lengths: Final = lengths
        self.encodings: Final = encodings
        self.expects_continue: Final = expects
        self.closes: Final = b"close" in tokens
        self.persists: Final = b"keep-alive" in tokens
        self.host: Final = host
        said = _by_name(dropped) if dropped else _NOTHING_SAID
        self.idle_hint: Final = _idle_hint(said.get(b"keep-alive", ()))
        self.trailers: Final = announced(said.get(b"trailer", ())) if dropped else None
        upgrades = [value.lower() for value in said.get(b"upgrade", ())]
        self.websocket: Final = upgrades == [b"websocket"] and b"upgrade" in tokens

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
        return self.block.values.get(name)


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
        return self.block.values.get(name)


def _by_name(fields: list[Field]) -> dict[bytes, list[bytes]]:
    """All values of each field, in their order."""
    values: dict[bytes, list[bytes]] = {}
    for field in fields:
        values.setdefault(field.name, []).append(field.value)
    return values


def _idle_hint(values: Iterable[bytes]) -> float | None:
    """Read how long the upstream keeps an idle connection: `Keep-Alive: timeout=5, max=100`."""
    for value in values:
        for token in value.split(b","):
            name, _, number = token.strip(b" \t").partition(b"=")
            if name.lower() == b"timeout" and number.isdigit() and len(number) < 6:
                return float(number)
    return None
