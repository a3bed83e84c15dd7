from __future__ import annotations

from proxy.wire.fields import Field, request_field, response_field
from proxy.wire.message import FieldBlock


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
