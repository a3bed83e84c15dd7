"""Finding the end of an answer, as little as a load generator needs of HTTP."""

from __future__ import annotations


class Cutter:
    """Counts the bytes of one answer at a time on a kept connection. Bodies are not kept."""

    __slots__ = ("_chunked", "_head", "_left", "_status", "_tail")

    def __init__(self) -> None:
        self._head = b""
        self._status = 0
        self._left = 0
        self._chunked = False
        self._tail = b""

    def feed(self, data: bytes) -> int:
        """Take what arrived; give the status of an answer that is complete with it, else 0.

        Gives -1 for what is not an answer that this understands. One answer at a time: nothing may
        follow it, as nothing more was asked.
        """
        if self._status == 0:
            self._head += data
            end = self._head.find(b"\r\n\r\n")
            if end < 0:
                return 0
            data = self._head[end + 4 :]
            if not self._begin(self._head[: end + 2]):
                return -1
            self._head = b""
        if self._chunked:
            # The generator asks for no trailers, and no body here contains this.
            self._tail = (self._tail + data)[-5:]
            return self._end() if self._tail == b"0\r\n\r\n" else 0
        self._left -= len(data)
        if self._left < 0:
            return -1
        return self._end() if self._left == 0 else 0

    def _begin(self, head: bytes) -> bool:
        if not head.startswith(b"HTTP/1.1 ") or not head[9:12].isdigit():
            return False
        self._status = int(head[9:12])
        folded = head.lower()
        self._chunked = b"\r\ntransfer-encoding: chunked\r\n" in folded
        self._tail = b""
        at = folded.find(b"\r\ncontent-length:")
        if at < 0:
            self._left = 0
            return self._chunked
        self._left = int(folded[at + 17 : folded.index(b"\r\n", at + 2)])
        return True

    def _end(self) -> int:
        status, self._status = self._status, 0
        return status
