"""The part of an answer that is kept for its capture, bounded for one and for all of a worker."""

from __future__ import annotations

from typing import Final

BODY_MAX: Final = 256 * 1024
"""Bytes of an answer that are captured; of a longer one only the head, marked as truncated."""

ROOM: Final = 64 * 1024 * 1024
"""Bytes that all copies of one worker hold at most, however many answers are under way."""


class Room:
    """What is left for copies, in bytes."""

    __slots__ = ("left",)

    def __init__(self, size: int = ROOM) -> None:
        self.left = size


class Copy:
    """A body as it passes by. It is not copied: its pieces are held until the capture is made.

    `truncated` says that it was too long for a capture, `crowded_out` that there was no room.
    """

    __slots__ = ("_ended", "_held", "_pieces", "_room", "crowded_out", "truncated")

    def __init__(self, room: Room) -> None:
        self.truncated = False
        self.crowded_out = False
        self._room: Final = room
        self._pieces: list[bytes] = []
        self._held = 0
        self._ended = False

    def take(self, piece: bytes) -> None:
        """Hold one more piece."""
        size = len(piece)
        if self._ended:
            return
        if self._held + size > BODY_MAX:
            self.truncated = True
            self.end()
        elif size > self._room.left:
            self.crowded_out = True
            self.end()
        else:
            self._pieces.append(piece)
            self._held += size
            self._room.left -= size

    def body(self) -> bytes | None:
        """Give the whole body, or None when it was too long."""
        return None if self.truncated else b"".join(self._pieces)

    def end(self) -> None:
        """Let go of everything."""
        self._ended = True
        self._room.left += self._held
        self._held = 0
        self._pieces = []
