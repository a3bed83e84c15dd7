"""Both networks on which hosts are put to the test fail as they are told to, and no more."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing

import pytest

from tests.support import eventually_async
from tests.support_hosts.lan import Lan
from tests.support_hosts.relays import Relays
from tests.support_hosts.switch import Switch, can_be_switched

KINDS = (Relays, Switch) if can_be_switched() else (Relays,)
"""There is nothing to be tried of a kind that the kernel does not allow: then nobody uses it."""

MOMENT = 0.2
"""Seconds for which nothing is heard where nothing can be."""


class Wire:
    """A connection from a host to a server that says everything back; both keep what they hear."""

    def __init__(self) -> None:
        self.arrived = b""
        self.back = b""
        self._writer: asyncio.StreamWriter

    @asynccontextmanager
    async def between(self, lan: Lan, host: str, server: str) -> AsyncIterator[Wire]:
        """Connect, for as long as the block lasts."""

        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with closing(writer):
                while data := await reader.read(100):
                    self.arrived += data
                    writer.write(data)

        listening = lan.place(server).do(lambda: socket.create_server((lan.address(server), 0)))
        async with await asyncio.start_server(echo, sock=listening):
            near = lan.place(host).socket()
            way = lan.way(host, server, listening.getsockname()[1])
            await asyncio.get_running_loop().sock_connect(near, way)
            reader, self._writer = await asyncio.open_connection(sock=near)
            hearing = asyncio.create_task(self._hear(reader))
            yield self
            self._writer.close()
            await hearing

    async def hears(self, word: bytes, said: bool = True) -> None:
        """Say something, unless it was said before, and wait until it comes back."""
        if said:
            self._writer.write(word)

        async def heard() -> bool:
            return self.back.endswith(word)

        await eventually_async(heard, what=f"{word!r} comes back")

    async def does_not_hear(self, word: bytes) -> None:
        """Say something, and hear nothing for a moment."""
        before = self.back
        self._writer.write(word)
        await asyncio.sleep(MOMENT)
        assert self.back == before

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while data := await reader.read(100):
            self.back += data


@pytest.mark.parametrize("kind", KINDS)
async def test_a_cut_is_silent_and_ends_nothing(
    kind: Callable[[tuple[str, ...], tuple[str, ...]], Lan],
) -> None:
    """Between one host and one server, in both directions, in one, and when a host is unplugged."""
    with closing(kind(("one", "two"), ("shop", "bank"))) as lan:
        async with (
            Wire().between(lan, "one", "shop") as wire,
            Wire().between(lan, "two", "shop") as of_other_host,
            Wire().between(lan, "one", "bank") as to_other_server,
        ):
            await wire.hears(b"a")
            lan.cut("one", "shop")
            await wire.does_not_hear(b"b")
            assert wire.arrived == b"a"
            await of_other_host.hears(b"x")
            await to_other_server.hears(b"x")
            lan.heal("one", "shop")
            await wire.hears(b"b", said=False)
            lan.deafen("one", "shop")
            await wire.does_not_hear(b"c")
            assert wire.arrived == b"abc"
            lan.heal("one", "shop")
            await wire.hears(b"c", said=False)
            lan.unplug("one")
            await wire.does_not_hear(b"d")
            await to_other_server.does_not_hear(b"y")
            await of_other_host.hears(b"y")
            lan.plug_in("one")
            await wire.hears(b"d", said=False)
            await to_other_server.hears(b"y", said=False)
