"""The bus on one machine: a Unix socket below the state directory."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import itertools
import logging
import os
import socket
from pathlib import Path
from typing import cast

from proxy.control.bus.base import (
    UNSENT_MAX,
    BusError,
    OnMessage,
    OnPeerMessage,
    OnPeerState,
    OnState,
    Payload,
    Peer,
    deliver,
)
from proxy.control.bus.frames import FrameError, FrameReader, encode

log = logging.getLogger(__name__)

RETRY_FIRST = 0.05
RETRY_MAX = 0.5
"""Seconds between attempts to reach a controller; short, as the path is a local socket."""

PATH_MAX = 107
"""Bytes of `sockaddr_un.sun_path` on Linux, without its closing zero."""


class LocalBus:
    """The controller's end on a Unix socket of mode 0600, guarded by a lock file beside it.

    The lock decides who is the controller, not the socket: the kernel frees it when its holder dies
    in whatever way, so a socket under a free lock is stale and can be replaced without a race.
    """

    def __init__(self, path: Path, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        self._path = path
        self._on_message = on_message
        self._on_state = on_state
        self._latest: dict[str, bytes] = {}
        self._links: dict[int, _BusProtocol] = {}
        self._ids = itertools.count(1)
        self._server: asyncio.Server | None = None
        self._lock: int | None = None

    async def start(self) -> None:
        """Open for peers. Raises BusError when another controller holds the place."""
        if len(os.fsencode(self._path)) > PATH_MAX:
            raise BusError(f"{self._path}: longer than {PATH_MAX} bytes; use a shorter --state")
        self._lock = _acquire(self._path.with_suffix(".lock"))
        listener = _bind(self._path)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_unix_server(lambda: _BusProtocol(self), sock=listener)

    def publish(self, kind: str, payload: Payload) -> None:
        """Send to every peer, and keep as what a newcomer gets first; never waits."""
        self._latest[kind] = frame = encode(kind, payload)
        for link in tuple(self._links.values()):
            link.write(frame)

    def peers(self) -> tuple[Peer, ...]:
        """Give those connected now that have said hello."""
        return tuple(link.peer for link in self._links.values() if link.peer is not None)

    async def close(self) -> None:
        """Let every peer go and free the place."""
        if self._server is not None:
            self._server.close()
            for link in tuple(self._links.values()):
                link.close()
            await self._server.wait_closed()
            self._path.unlink(missing_ok=True)
            self._server = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def admit(self, link: _BusProtocol) -> int:
        """Take a new connection and bring it up to date; give its id."""
        number = next(self._ids)
        self._links[number] = link
        for frame in self._latest.values():
            link.write(frame)
        return number

    def receive(self, peer: Peer, kind: str, payload: Payload) -> None:
        """Pass one message on."""
        deliver(self._on_message, peer, kind, payload)

    def greet(self, peer: Peer) -> None:
        """Say that a peer has introduced itself."""
        deliver(self._on_state, peer, True)

    def dismiss(self, number: int, peer: Peer | None) -> None:
        """Forget a connection that ended."""
        self._links.pop(number, None)
        if peer is not None:
            deliver(self._on_state, peer, False)


class _BusProtocol(asyncio.Protocol):
    """One connection as the controller sees it."""

    def __init__(self, bus: LocalBus) -> None:
        self._bus = bus
        self._frames = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._id = 0
        self.peer: Peer | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a worker."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class is no subclass
        self._id = self._bus.admit(self)

    def data_received(self, data: bytes) -> None:
        """Read what a worker says; the first word must be hello."""
        try:
            for kind, payload in self._frames.feed(data):
                if self.peer is None:
                    self._introduce(kind, payload)
                else:
                    self._bus.receive(self.peer, kind, payload)
        except FrameError as error:
            log.warning("a peer on the bus was cut off: %s", error)
            self.close()

    def _introduce(self, kind: str, payload: Payload) -> None:
        """Learn who this is."""
        match kind, payload:
            case "hello", {"role": str() as role, "index": int() as index, "pid": int() as pid}:
                generation = payload.get("generation", 1)
                if not isinstance(generation, int):
                    raise FrameError(f"expected a generation, got {generation!r}")
                compiled = payload.get("compiled") is True
                self.peer = Peer(self._id, role, index, pid, generation, compiled)
                self._bus.greet(self.peer)
            case _:
                raise FrameError(f"expected hello with role, index and pid, got {kind!r}")

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Forget the worker."""
        self._bus.dismiss(self._id, self.peer)

    def write(self, frame: bytes) -> None:
        """Send without waiting; a peer that does not read is cut off, and comes back up to date."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return
        if transport.get_write_buffer_size() > UNSENT_MAX:
            transport.abort()
        else:
            transport.write(frame)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.abort()


class LocalUplink:
    """A worker's end on a Unix socket.

    `hello` is {role, index, pid}. `on_message(kind, payload)` and `on_state(connected)` are called
    on the event loop; what they raise is logged and never ends the connection.
    """

    def __init__(
        self, path: Path, hello: Payload, on_message: OnMessage, on_state: OnState
    ) -> None:
        self._path = path
        self._hello = hello
        self._on_message = on_message
        self._on_state = on_state
        self._transport: asyncio.Transport | None = None

    async def run(self) -> None:
        """Connect, and reconnect for ever, until cancelled."""
        delay = RETRY_FIRST
        while True:
            spoken = await self._connect_once()
            # A controller that hangs up before it says anything is as good as none: back off too.
            delay = RETRY_FIRST if spoken else min(delay * 2, RETRY_MAX)
            await asyncio.sleep(delay)

    def send(self, kind: str, payload: Payload) -> bool:
        """Hand one message over without waiting; False when it was dropped."""
        transport = self._transport
        if transport is None or transport.is_closing():
            return False
        if transport.get_write_buffer_size() > UNSENT_MAX:
            return False
        transport.write(encode(kind, payload))
        return True

    async def _connect_once(self) -> bool:
        """Hold one connection until it ends; give whether the controller said anything."""
        loop = asyncio.get_running_loop()
        try:
            transport, link = await loop.create_unix_connection(
                lambda: _UplinkProtocol(self._receive), str(self._path)
            )
        except OSError:
            return False
        transport.write(encode("hello", self._hello))
        self._transport = transport
        deliver(self._on_state, True)
        try:
            await link.ended
        finally:
            self._transport = None
            transport.abort()
            deliver(self._on_state, False)
        return link.spoken

    def _receive(self, kind: str, payload: Payload) -> None:
        deliver(self._on_message, kind, payload)


class _UplinkProtocol(asyncio.Protocol):
    """One connection as a worker sees it."""

    def __init__(self, receive: OnMessage) -> None:
        self._receive = receive
        self._frames = FrameReader()
        self._transport: asyncio.BaseTransport | None = None
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.spoken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport, to be able to hang up."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Read what the controller says."""
        try:
            messages = self._frames.feed(data)
        except FrameError as error:
            log.warning("the controller was cut off: %s", error)
            if self._transport is not None:
                self._transport.close()
            return
        for kind, payload in messages:
            self.spoken = True
            self._receive(kind, payload)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the loop's signature
        """Wake whoever holds this connection."""
        if not self.ended.done():
            self.ended.set_result(None)


def _acquire(lock: Path) -> int:
    """Take the controller's lock and give its descriptor; raises BusError when it is held."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise BusError(
            f"{lock}: another controller (pid {holder}) is running on this state directory; "
            "stop it first, or give this one its own --state"
        ) from error
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _bind(path: Path) -> socket.socket:
    """Give a socket bound to `path`, in place of one that nobody serves any more."""
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        # Nobody can connect before listen(), so there is no moment with wider permissions.
        path.chmod(0o600)
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        raise BusError(f"{path}: {error.strerror or error}") from error
    return listener
