from __future__ import annotations

from proxy.serving.copying import BODY_MAX, Copy, Room


def test_a_body_is_held_piece_by_piece() -> None:
    """And given back whole, however it came."""
    room = Room()
    copy, before = Copy(room), room.left
    for piece in (b"ab", b"", b"c"):
        copy.take(piece)
    assert copy.body() == b"abc"
    assert room.left == before - 3
    copy.end()
    assert room.left == before


def test_a_body_that_is_too_long_is_let_go_at_once() -> None:
    """Only that there was more is known of it."""
    room = Room()
    copy, before = Copy(room), room.left
    copy.take(b"x" * BODY_MAX)
    assert not copy.truncated
    copy.take(b"x")
    assert (copy.truncated, copy.body(), room.left) == (True, None, before)
    copy.take(b"more")
    assert room.left == before
    copy.end()
    assert room.left == before


def test_all_copies_share_one_room() -> None:
    """Who comes too late finds none; when others have gone there is room again."""
    room = Room(10)
    first, second, third = Copy(room), Copy(room), Copy(room)
    first.take(b"x" * 8)
    second.take(b"x" * 3)
    assert second.crowded_out
    assert not first.crowded_out
    first.end()
    third.take(b"x" * 10)
    assert not third.crowded_out
    assert room.left == 0
