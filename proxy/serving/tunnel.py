"""A connection turned over: behind a 101 bytes pass both ways until both ends are gone.

Nobody reads them any more. What one end says the other hears: bytes, the end of its sending, a
reset. An end that does not read holds the other, not our memory. A tunnel belongs to the exchange
that asked for it, under the rules of that moment: no later rules, rollback or kill switch touch it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from proxy.serving.reset import reset
from proxy.upstream.handover import Giver, Handover

LAST_BYTES: Final = 30.0
"""Seconds of silence that are borne once an end has said that it sends no more: many an end that
has closed altogether looks so, and what is left for the other must be taken."""

CLOSED: Final = "closed"
IDLED: Final = "idle"
CUT: Final = "cut"
"""How a tunnel ends: in good order, by silence, or by us, at a drain's deadline. Besides these, by
a reset of the `client` or the `upstream`."""


class Timed(Giver, Protocol):
    """The client's connection: its `deadline` is looked at by the worker."""

    deadline: float


class Tunnel:
    """Both ends, what has passed (`up` and `down`, in bytes), and how it ended.

    `idle` is the seconds of silence from both ends after which it is cut.
    """

    __slots__ = ("_client", "_idle", "_now", "_on_end", "_owner", "_upstream", "ended")

    def __init__(
        self,
        client: Timed,
        upstream: Giver,
        now: Callable[[], float],
        on_end: Callable[[str], None],
        idle: float,
    ) -> None:
        self.ended = ""
        self._owner: Final = client
        self._now: Final = now
        self._idle: Final = idle
        self._on_end: Final = on_end
        self._client: Final = _End("client", self, client)
        self._upstream: Final = _End("upstream", self, upstream)
        self._client.other, self._upstream.other = self._upstream, self._client

    @property
    def up(self) -> int:
        """Bytes that the client has sent."""
        return self._client.received

    @property
    def down(self) -> int:
        """Bytes that the upstream has sent."""
        return self._upstream.received

    def open(self, head: bytes) -> None:
        """Take both connections over; the client gets `head` before anything else."""
        client, upstream = self._client, self._upstream
        client.take_over()
        upstream.take_over()
        client.send(head)
        for end in (client, upstream):
            end.relay_early()
        self.moved()

    def moved(self) -> None:
        """Begin to wait anew: something has passed."""
        ending = self._client.ended or self._upstream.ended
        silence = min(LAST_BYTES, self._idle) if ending else self._idle
        self._owner.deadline = self._now() + silence

    def on_deadline(self) -> None:
        """Cut a tunnel in which nothing moves, or an end that does not take the rest."""
        self.ended = self.ended or IDLED
        self._client.reset()
        self._upstream.reset()

    def on_eof(self, end: _End) -> None:
        """Pass on that an end sends no more; close both when neither does."""
        self.moved()
        if end.other.ended:
            end.close()
            end.other.close()
        elif not end.other.send_eof():
            end.other.close()  # where a half cannot be closed (TLS), the whole is

    def on_lost(self, end: _End, exc: Exception | None) -> None:
        """Let the other end go the same way; when both are gone, the tunnel is."""
        if exc is None and end.ended:
            end.other.close()
            self.moved()
        else:
            # A peer's reset comes with an error; without one it was us who aborted.
            self.ended = self.ended or (CUT if exc is None else end.name)
            end.other.reset()
        if self._upstream.gone and end is self._upstream:
            end.owner.connection_lost(exc)  # at once: its place in the pool is free
        if self._client.gone and self._upstream.gone:
            self.ended = self.ended or CLOSED
            self._on_end(self.ended)
            # Last: until here the worker looks at the client's deadline, which is the tunnel's.
            self._owner.connection_lost(exc)


class _End(asyncio.Protocol):
    """One connection of a tunnel; what it receives goes out at `other`."""

    __slots__ = (
        "_early",
        "_transport",
        "_tunnel",
        "ended",
        "gone",
        "name",
        "other",
        "owner",
        "received",
        "writable",
    )

    def __init__(self, name: str, tunnel: Tunnel, owner: Giver) -> None:
        self.name: Final = name
        self.owner: Final = owner
        self.other: _End
        self.received = 0
        self.ended = False
        self.gone = False
        self._tunnel = tunnel
        self.writable = True
        self._early = b""
        self._transport: asyncio.Transport

    def take_over(self) -> None:
        """Become the connection's protocol."""
        handed: Handover = self.owner.hand_over(self)
        self._transport, self._early, self.writable, self.ended = handed

    def relay_early(self) -> None:
        """Pass on what arrived behind the heads, before anything else."""
        early, self._early = self._early, b""
        if early:
            self.data_received(early)
        if self.ended:
            self._tunnel.on_eof(self)

    # What the event loop says

    def data_received(self, data: bytes) -> None:
        """Pass on what came; hold this end while the other does not take it."""
        self.received += len(data)
        self._tunnel.moved()
        self.other.send(data)
        if not self.other.writable:
            self.hold(True)

    def eof_received(self) -> bool:
        """Stay open: the other end may have more to say."""
        self.ended = True
        self._tunnel.on_eof(self)
        return True

    def pause_writing(self) -> None:
        """Hold the other end."""
        self.writable = False

    def resume_writing(self) -> None:
        """Let the other end go on."""
        self.writable = True
        self._tunnel.moved()
        self.other.hold(False)

    def connection_lost(self, exc: Exception | None) -> None:
        """Let the tunnel know."""
        self.gone = True
        self._tunnel.on_lost(self, exc)

    # What the tunnel and the other end do

    def hold(self, held: bool) -> None:
        """Let the peer wait with what it sends, or go on."""
        if self._transport.is_closing():
            return
        if held:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def send(self, data: bytes) -> None:
        """Send, unless the connection has just gone."""
        if not self._transport.is_closing():
            self._transport.write(data)

    def send_eof(self) -> bool:
        """Say that no more comes; False where that cannot be said of one direction."""
        if self._transport.is_closing():
            return True
        if not self._transport.can_write_eof():
            return False
        self._transport.write_eof()
        return True

    def close(self) -> None:
        """Close once what is left has been sent."""
        self.ended = True
        if not self._transport.is_closing():
            self._transport.close()

    def reset(self) -> None:
        """Break the connection; the peer must not take it for a good end."""
        if not self.gone:
            reset(self._transport)
