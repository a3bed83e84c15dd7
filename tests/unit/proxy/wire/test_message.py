from __future__ import annotations

import pytest

from proxy.wire.fields import Field, request_field, response_field
from proxy.wire.message import FieldBlock
from tests.support_wire import read_request_head, read_response_head


def _fields(*lines: bytes) -> list[Field]:
    return [field for line in lines if (field := request_field(line)) is not None]


NOTHING: frozenset[bytes] = frozenset()


def test_block_sorts_its_fields() -> None:
    """A block knows what passes on, what frames the body, and what is only counted."""
    block = FieldBlock(
        _fields(
            b"A: 1", b"TE: x", b"Content-Length: 5", b"x_y: 2", b"Expect: 100-continue", b"B: 3"
        ),
        NOTHING,
        b"h",
    )
    assert block.forwarded == b"A: 1\r\nB: 3\r\n"
    assert [field.name for field in block.fields] == [
        b"a", b"content-length", b"x_y", b"expect", b"b",
    ]  # fmt: skip
    assert [field.value for field in block.lengths] == [b"5"]
    assert not block.encodings
    assert block.counted
    assert block.expects_continue
    assert (block.host, block.idle_hint) == (b"h", None)


def test_empty_block() -> None:
    """A message without fields forwards nothing."""
    block = FieldBlock([], NOTHING, b"")
    assert block.forwarded == b""
    assert not block.fields
    assert not block.counted
    assert block.keeps_alive(1)
    assert not block.keeps_alive(0)


def test_nominated_fields() -> None:
    """Fields named by Connection are left out."""
    block = FieldBlock(_fields(b"A: 1", b"B: 2"), frozenset({b"a", b"close"}), b"h")
    assert block.forwarded == b"B: 2\r\n"
    assert block.closes
    assert not block.keeps_alive(1)


def test_idle_hint_survives_its_field() -> None:
    """Keep-Alive is dropped and understood."""
    field = response_field(b"Keep-Alive: timeout=7")
    assert field is not None
    block = FieldBlock([field], NOTHING, b"")
    assert (block.forwarded, block.idle_hint) == (b"", 7.0)


ASKS = b"GET /a HTTP/1.1"
UPGRADE = (b"Connection: Upgrade", b"Upgrade: websocket")


@pytest.mark.parametrize(
    ("line", "fields", "asked"),
    [
        (ASKS, UPGRADE, True),
        (ASKS, (b"connection: keep-alive , uPGRADE", b"UPGRADE: WebSocket"), True),
        (ASKS, (b"Connection: a", b"Upgrade:websocket", b"Connection: upgrade"), True),
        (ASKS, (*UPGRADE, b"Content-Length: 0"), True),
        (ASKS, (b"Upgrade: websocket",), False),
        (ASKS, (b"Connection: Upgrade",), False),
        (ASKS, (b"Connection: Upgrade", b"Upgrade: h2c"), False),
        (ASKS, (b"Connection: Upgrade", b"Upgrade: websocket, h2c"), False),
        (ASKS, (b"Connection: Upgrade", b"Upgrade: websocket/13"), False),
        (ASKS, (b"Connection: Upgrade", b"Upgrade: websocket, websocket"), False),
        (ASKS, (*UPGRADE, b"Upgrade: websocket"), False),
        (ASKS, (*UPGRADE, b"Upgrade: h2c"), False),
        (ASKS, (b"Connection: Upgrade", b"Upgrade:"), False),
        (ASKS, (b"Connection: Upgrade", b"Up_grade: websocket"), False),
        (ASKS, (*UPGRADE, b"Content-Length: 5"), False),
        (ASKS, (*UPGRADE, b"Transfer-Encoding: chunked"), False),
        (b"GET /a HTTP/1.0", UPGRADE, False),
        (b"POST /a HTTP/1.1", UPGRADE, False),
        (b"HEAD /a HTTP/1.1", UPGRADE, False),
        (b"OPTIONS * HTTP/1.1", UPGRADE, False),
    ],
)  # fmt: skip
def test_websocket_asked_for(line: bytes, fields: tuple[bytes, ...], asked: bool) -> None:
    """Only a GET of HTTP/1.1 without a body asks, with this one protocol, and meant for us."""
    head = read_request_head(b"\r\n".join([line, b"Host: h", *fields, b"", b""]))
    assert head.websocket is asked
    assert b"pgrade" not in head.block.forwarded


@pytest.mark.parametrize(
    ("line", "fields", "given"),
    [
        (b"HTTP/1.1 101 Switching", UPGRADE, True),
        (b"HTTP/1.1 101", (b"connection: UPGRADE", b"upgrade: WEBSOCKET"), True),
        (b"HTTP/1.0 101 Switching", UPGRADE, False),
        (b"HTTP/1.1 100 Switching", UPGRADE, False),
        (b"HTTP/1.1 101 Switching", UPGRADE[1:], False),
        (b"HTTP/1.1 101 Switching", UPGRADE[:1], False),
        (b"HTTP/1.1 101 Switching", (), False),
        (b"HTTP/1.1 101 Switching", (b"Connection: Upgrade", b"Upgrade: h2c"), False),
        (b"HTTP/1.1 101 Switching", (b"Connection: Upgrade", b"Upgrade: websocket, h2c"), False),
        (b"HTTP/1.1 101 Switching", (*UPGRADE, b"Upgrade: h2c"), False),
    ],
)
def test_websocket_given(line: bytes, fields: tuple[bytes, ...], given: bool) -> None:
    """Only a 101 of HTTP/1.1 with this one protocol turns the connection over."""
    head = read_response_head(b"\r\n".join([line, *fields, b"", b""]))
    assert head.websocket is given


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ((), None),
        ((b"Trailer: X-Sum",), b"Trailer: X-Sum\r\n"),
        ((b"Trailer: a, B", b"A: 1", b"trailer: c"), b"Trailer: a, B, c\r\n"),
        ((b"Trailer: Content-Length",), None),
        ((b"Trailer:",), None),
    ],
)
def test_trailers_announced(fields: tuple[bytes, ...], line: bytes | None) -> None:
    """What Trailer announces is known and written anew; the field itself ends here."""
    read = [field for each in fields if (field := response_field(each)) is not None]
    block = FieldBlock(read, NOTHING, b"")
    assert (block.trailers.line if block.trailers is not None else None) == line
    assert b"railer" not in block.forwarded
