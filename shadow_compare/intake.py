"""Where captures arrive: a Unix socket in front of the queue."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections.abc import Awaitable, Callable
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


Source = Callable[[CaptureQueue, Lost], Awaitable[None]]
"""Fills a queue until it is cancelled."""


def from_socket(path: Path) -> Source:
    """Take captures from the data plane of this host."""
    return lambda queue, lost: Intake(queue, lost).run(path)


Sieve = Callable[[bytes], bytes | None]
"""Gives what of a frame goes on to the queue, or None; raises CaptureError."""


class Intake:
    """Reads frames from every connection; `failed` is told the reason for each that is lost.

    Each passes the sieve before it waits.
    """

    def __init__(
        self, queue: CaptureQueue, failed: Lost, sieve: Sieve = lambda frame: frame
    ) -> None:
        self._queue = queue
        self._failed = failed
        self._sieve = sieve
        self._writers: set[asyncio.StreamWriter] = set()

    async def run(self, path: Path) -> None:
        """Listen until cancelled; a socket file left behind is replaced, and ours removed."""
        listener, ours = _private_socket(path)
        server = await asyncio.start_unix_server(self._connected, sock=listener)
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            server.close()
            for writer in self._writers:
                writer.close()
            _remove(path, ours)

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
            kept = self._sieve(frame)
            if kept is None:
                return
            arrival = Arrival(route_of(kept), kept)
            for dropped in self._queue.put(arrival):
                dropped.concluded()
                self._failed("dropped", Capture.decode(dropped.frame), None)
        except CaptureError as error:
            self._failed("bad_frame", None, error)


def _remove(path: Path, number: int) -> None:
    """Remove a socket file, unless a successor has put its own in the place."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_ino == number:
            path.unlink()


def _private_socket(path: Path) -> tuple[socket.socket, int]:
    """Bind a socket that only this user can connect to, from its first moment on.

    Gives the number of its file, too.
    """
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
    return listener, path.stat().st_ino
