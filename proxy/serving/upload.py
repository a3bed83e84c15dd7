"""The body of one request on its way up: framed anew, bounded, and kept for another attempt."""

from __future__ import annotations

from proxy.routing.limits import BODY_MAX
from proxy.upstream.retry import REPLAY_MAX
from proxy.wire.chunked import LAST_CHUNK, chunk
from proxy.wire.errors import RequestError
from proxy.wire.framing import CHUNKED
from proxy.wire.parser import END


class Upload:
    """Counts and frames what arrives.

    `size` is octets so far, `most` how many are taken, `keeps` up to how many are kept, `done` says
    it is complete. `waits` says that the client sends nothing before a 100 (RFC 9110, 10.1.1);
    `patience` is the seconds that it had left when we began to make it wait.
    """

    __slots__ = ("_chunked", "_kept", "done", "keeps", "most", "patience", "size", "waits")

    def __init__(self, length: int, *, waits: bool = False) -> None:
        self.size = 0
        self.most = BODY_MAX
        self.keeps = REPLAY_MAX
        self.done = False
        self.waits = waits
        self.patience = 0.0
        self._chunked = length == CHUNKED
        self._kept: list[bytes] | None = []

    @property
    def repeatable(self) -> bool:
        """Whether everything so far can be sent once more."""
        return self._kept is not None

    def take(self, event: object, out: list[bytes]) -> None:
        """Frame one event of the parser; raises RequestError when the body grows too large."""
        self.waits = False  # a client may go on by itself, and then needs no 100 any more
        if event is END:
            self.done = True
            if self._chunked:
                out.append(LAST_CHUNK)
        elif isinstance(event, bytes):
            self.size += len(event)
            if self.size > self.most:
                raise RequestError(413, "the body is too large")
            if self._kept is not None:
                self._kept.append(event)
                if self.size > self.keeps:
                    self._kept = None
            out.append(self._framed(event))

    def copy(self, most: int) -> bytes | None:
        """Give the whole body, or None when it is longer than `most` or has not been kept."""
        kept = self._kept
        return None if kept is None or self.size > most else b"".join(kept)

    def again(self) -> list[bytes]:
        """Give what has been sent, framed, for another attempt."""
        out = [self._framed(piece) for piece in self._kept or ()]
        if self.done and self._chunked:
            out.append(LAST_CHUNK)
        return out

    def _framed(self, piece: bytes) -> bytes:
        return chunk(piece) if self._chunked else piece
