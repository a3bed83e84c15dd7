"""Everything on the loopback address, and relays between hosts and servers that can be stopped.

For machines on which no network namespace can be made. A stopped relay carries nothing and ends
nothing: what is said meanwhile arrives when it goes on, as after a cut of a wire, when everything
unheard is sent again. Applications, whose addresses all hosts share, are always in reach.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

_LOOPBACK: Final = "127.0.0.1"
_PIECE: Final = 65536


class Lobby:
    """The one place where everybody is."""

    enter: tuple[str, ...] = ()

    def do(self, job: Callable[[], T]) -> T:
        """Do something, and wait."""
        return job()

    async def doing(self, job: Callable[[], T]) -> T:
        """Do something in a thread, without blocking the event loop."""
        return await asyncio.to_thread(job)

    def socket(self) -> socket.socket:
        """Give a TCP socket that does not block."""
        made = socket.socket()
        made.setblocking(False)
        return made


class Gate:
    """Whether anything passes in one direction between a host and a server, for several reasons."""

    def __init__(self) -> None:
        self._shut: set[str] = set()
        self._open = asyncio.Event()
        self._open.set()

    def shut(self, why: str) -> None:
        """Let nothing pass until the same reason has gone."""
        self._shut.add(why)
        self._open.clear()

    def open(self, why: str) -> None:
        """Let everything pass, if there is no other reason not to."""
        self._shut.discard(why)
        if not self._shut:
            self._open.set()

    async def passed(self) -> None:
        """Wait until it is open."""
        await self._open.wait()


class Relays:
    """A relay for each port of a server that a host asks for."""

    def __init__(self, hosts: Iterable[str], servers: Iterable[str]) -> None:
        pairs = [(host, server) for host in hosts for server in servers]
        self._there = {pair: Gate() for pair in pairs}
        self._back = {pair: Gate() for pair in pairs}
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: list[socket.socket] = []

    def place(self, name: str) -> Lobby:  # noqa: ARG002 - the same for all
        """Give the one place."""
        return Lobby()

    def address(self, name: str) -> str:  # noqa: ARG002 - the same for all
        """Give the loopback address."""
        return _LOOPBACK

    def way(self, host: str, server: str, port: int) -> tuple[str, int]:
        """Give the address and port of a relay, which works from now on."""
        listening = socket.create_server((_LOOPBACK, 0))
        listening.setblocking(False)
        self._listening.append(listening)
        self._begin(self._let_in(listening, (host, server), port))
        return _LOOPBACK, int(listening.getsockname()[1])

    def cut(self, host: str, server: str) -> None:
        """Let nothing through between the two, in either direction."""
        self._there[host, server].shut("cut")
        self._back[host, server].shut("cut")

    def deafen(self, host: str, server: str) -> None:
        """Let nothing through from the server to the host."""
        self._back[host, server].shut("cut")

    def heal(self, host: str, server: str) -> None:
        """Let everything through again, unless the host is unplugged."""
        self._there[host, server].open("cut")
        self._back[host, server].open("cut")

    def unplug(self, host: str) -> None:
        """Let nothing through to or from any server."""
        for gate in self._gates(host):
            gate.shut("unplugged")

    def plug_in(self, host: str) -> None:
        """Let everything through again that is not cut."""
        for gate in self._gates(host):
            gate.open("unplugged")

    def close(self) -> None:
        """End all relays."""
        for task in self._tasks:
            task.cancel()
        for listening in self._listening:
            listening.close()

    def _gates(self, host: str) -> list[Gate]:
        both = (*self._there.items(), *self._back.items())
        return [gate for pair, gate in both if pair[0] == host]

    def _begin(self, job: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(job)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _let_in(self, listening: socket.socket, pair: tuple[str, str], port: int) -> None:
        loop = asyncio.get_running_loop()
        while True:
            near, _ = await loop.sock_accept(listening)
            self._begin(self._relay(near, pair, port))

    async def _relay(self, near: socket.socket, pair: tuple[str, str], port: int) -> None:
        """Carry one connection until both ends have said that there is no more."""
        loop = asyncio.get_running_loop()
        far = Lobby().socket()
        with near, far:
            near.setblocking(False)
            try:
                await self._there[pair].passed()
                await loop.sock_connect(far, (_LOOPBACK, port))
                async with asyncio.TaskGroup() as both:
                    both.create_task(_carry(near, far, self._there[pair]))
                    both.create_task(_carry(far, near, self._back[pair]))
            except* OSError:
                pass  # either end has gone: so has the other, by being closed


async def _carry(source: socket.socket, sink: socket.socket, gate: Gate) -> None:
    """Carry what comes, while the gate is open; what was read before it shut has passed."""
    loop = asyncio.get_running_loop()
    while data := await loop.sock_recv(source, _PIECE):
        await gate.passed()
        await loop.sock_sendall(sink, data)
    await gate.passed()
    sink.shutdown(socket.SHUT_WR)
