"""One answer on its way down: framed, counted, held while small, copied when mirrored."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.serving.copying import Copy
from proxy.wire.chunked import LAST_CHUNK, chunk, last_chunk
from proxy.wire.message import ResponseHead


class Relay:
    """What is known of an answer since its head. `size` is octets of its body so far.

    `held` is what waits until the answer is complete, for as long as nothing of it has been sent.
    `copy` is there while a capture is to be made of it, `look` while what it says decides whether
    it is a failure.
    """

    __slots__ = ("chunked", "copy", "head", "held", "look", "size")

    def __init__(self, head: ResponseHead, *, chunked: bool, copy: Copy | None = None) -> None:
        self.head = head
        self.chunked = chunked
        self.size = 0
        self.held: list[bytes] = []
        self.copy = copy
        self.look: Copy | None = None

    def take(self, piece: bytes) -> bytes:
        """Frame a piece of the body for the client."""
        self.size += len(piece)
        if self.copy is not None:
            self.copy.take(piece)
        if self.look is not None:
            self.look.take(piece)
        return chunk(piece) if self.chunked else piece

    def end(self, trailers: Sequence[bytes]) -> bytes:
        """Write what ends a chunked body, with those of the upstream's trailers that may pass."""
        announced = self.head.block.trailers
        if announced is None or not trailers:
            return LAST_CHUNK
        return last_chunk(announced.pick(trailers))
