"""Bodies of 64 MB: sent as fast as they are taken, and checked as they come, with nothing kept."""

from __future__ import annotations

import asyncio
import zlib

from tests.support_plane import Client, Upstreamed

SIZE = 64 * 1024 * 1024
BLOCK = bytes(range(256)) * 256
CHECKSUM = zlib.crc32(BLOCK * (SIZE // len(BLOCK)))


class Body:
    """A body as it comes: its size and checksum; nothing of it is kept."""

    def __init__(self, *, chunked: bool) -> None:
        self.size = 0
        self.checksum = 0
        self.ended = False
        self._chunked = chunked
        self._head = True
        self._left = 0
        self._rest = b""

    @property
    def complete(self) -> bool:
        """Whether every byte has come, and none is wrong."""
        assert self.size <= SIZE
        whole = (self.size, self.checksum) == (SIZE, CHECKSUM)
        return whole and (self.ended or not self._chunked)

    def take(self, wire: Client | Upstreamed, start: int = 0) -> None:
        """Read what a wire has received since `start`, and forget it."""
        data = self._rest + bytes(wire.received[start:])
        del wire.received[start:]
        if self._head:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._head = False
        self._rest = self._chunks(data) if self._chunked else self._count(data)

    def _count(self, data: bytes) -> bytes:
        self.size += len(data)
        self.checksum = zlib.crc32(data, self.checksum)
        return b""

    def _chunks(self, data: bytes) -> bytes:
        view, at = memoryview(data), 0
        while at < len(data):
            if self._left > 2:
                piece = view[at : at + self._left - 2]
                self._count(bytes(piece))
                at += len(piece)
                self._left -= len(piece)
                continue
            end = data.find(b"\n", at + self._left)
            if end < 0:
                break
            size = int(data[at + self._left : end], 16) if not self.ended else 0
            self.ended = not size
            self._left, at = size + 2, end + 1
            if self.ended:
                assert data[at:] in (b"", b"\r\n")
                break
        return data[at:]


async def pour(wire: Client | Upstreamed, size: int, sent: list[int]) -> None:
    """Send `size` bytes as fast as they are taken."""
    while sent[0] < size:
        while wire.unsent > 1024 * 1024:  # noqa: ASYNC110 - the transport tells only its protocol
            await asyncio.sleep(0)
        wire.write(BLOCK)
        sent[0] += len(BLOCK)
