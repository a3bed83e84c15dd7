"""Where captures arrive: a Unix socket in front of the queue."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path
from typing import Final, Protocol

from shadow_compare.capture import Capture, CaptureError, FrameReader, route_of
from shadow_compare.queue import Arrival, CaptureQueue

_READ: Final = 256 * 1024


class Lost(Protocol):
    """Whoever counts what is lost: the reason, the capture if it can be read, and the error."""

    def __call__(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        """Take note of one."""
        ...


class Intake:
    """Reads frames from every connection; `failed` is told the reason for each that is lost."""

    def __init__(self, queue: CaptureQueue, failed: Lost) -> None:
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
            arrival = Arrival(route_of(frame), frame)
            for dropped in self._queue.put(arrival):
                dropped.concluded()
                self._failed("dropped", Capture.decode(dropped.frame), None)
        except CaptureError as error:
            self._failed("bad_frame", None, error)


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
