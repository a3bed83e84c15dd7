"""Where captures arrive: a Unix socket in front of a queue that drops when it is full."""

from __future__ import annotations

import asyncio
import os
import socket
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

from shadow_compare.capture import Capture, CaptureError, FrameReader

_READ: Final = 256 * 1024


class CaptureQueue:
    """A queue bounded in number and in bytes."""

    def __init__(self, number_max: int, bytes_max: int) -> None:
        self._waiting: deque[Capture] = deque()
        self._arrived = asyncio.Semaphore(0)
        self._number_max = number_max
        self._bytes_max = bytes_max
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, capture: Capture) -> bool:
        """Take a capture unless the queue is full."""
        size = _size(capture)
        if len(self._waiting) >= self._number_max or self._bytes + size > self._bytes_max:
            return False
        self._bytes += size
        self._waiting.append(capture)
        self._arrived.release()
        return True

    async def get(self) -> Capture:
        """Wait for the next capture."""
        await self._arrived.acquire()
        capture = self._waiting.popleft()
        self._bytes -= _size(capture)
        return capture


def _size(capture: Capture) -> int:
    return len(capture.request_body) + len(capture.body)


class Intake:
    """Reads frames from every connection; `failed` is told the reason for each that is lost."""

    def __init__(
        self, queue: CaptureQueue, failed: Callable[[str, Capture | None, Exception | None], None]
    ) -> None:
        self._queue = queue
        self._failed = failed
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._path: Path | None = None

    async def listen(self, path: Path) -> None:
        """Start listening; a socket file left behind is replaced."""
        self._server = await asyncio.start_unix_server(self._connected, sock=_private_socket(path))
        self._path = path

    def close(self) -> None:
        """Stop listening, hang up every connection, and remove the socket file."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        self._writers.add(writer)
        try:
            while data := await reader.read(_READ):
                for frame in frames.feed(data):
                    self._take(frame)
        except CaptureError as error:  # out of step: nothing more can be read from this stream
            self._failed("bad_frame", None, error)
        except OSError as error:
            self._failed("connection_lost", None, error)
        finally:
            self._writers.discard(writer)
            writer.close()

    def _take(self, frame: bytes) -> None:
        try:
            capture = Capture.decode(frame)
        except CaptureError as error:
            self._failed("bad_frame", None, error)
            return
        if not self._queue.put(capture):
            self._failed("dropped", capture, None)


def _private_socket(path: Path) -> socket.socket:
    """Bind a socket that only this user can connect to, from its first moment on."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    mask = os.umask(0o177)
    try:
        listener.bind(str(path))
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(mask)
    return listener
