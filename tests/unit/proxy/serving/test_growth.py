"""A worker that is lied to for a long time: its memories stay bounded, and nothing else grows."""

from __future__ import annotations

import asyncio
import gc
import random
import tracemalloc
from typing import Any

from proxy.routing.side import Side
from proxy.routing.table import Table
from proxy.serving.downstream import Downstream
from proxy.serving.exchange import Exchange
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.fake import FakeTransport, turn
from proxy.wire import fields, head
from proxy.wire.memory import Remembered
from tests.fuzz.mutate import mutate
from tests.fuzz.seeds import seeds
from tests.support_exchange import Client, Scene, on

INPUTS = 20_000
TRACED = 3_000
"""Of these the last are looked at twice, with every allocation traced, which takes its time."""

LARGEST = 600
GROWTH = 64 * 1024
"""Bytes that may come on top between two looks, when nothing is remembered at either."""

NETWORKS = {"trusted_networks": ["10.0.0.0/8"]}


class Hostility:
    """One plane, and clients and upstreams by chance, with bytes that never came before.

    Each request comes twice, or nothing of it would be remembered.
    """

    def __init__(self) -> None:
        self.scene = Scene(
            on(50, sticky_by=["cookie:PHPSESSID", "client_ip"]), log=False, **NETWORKS
        )
        self._chance = random.Random(3)
        self._requests = [data for data in seeds("requests") if len(data) < LARGEST]
        self._answers = [data for data in seeds("answers") if len(data) < LARGEST]
        self._number = 0
        self._request = b""

    async def go_on(self, inputs: int) -> None:
        """Let so many clients come, one after the other, and go."""
        for _ in range(inputs):
            await self._one()

    async def _one(self) -> None:
        self._number += 1
        new = b"%06d" % self._number
        address = f"10.{self._number >> 16 & 255}.{self._number >> 8 & 255}.{self._number & 255}"
        client = self.scene.client(address)
        if self._number % 2:
            raw = mutate(self._chance.choice(self._requests), self._requests, self._chance, LARGEST)
            raw = raw.replace(b"/l/x", b"/" + new)
            self._request = raw.replace(b"Host:", b"X-New: " + new + b"\r\nHost:")
        client.send(self._request)
        await self._upstreams(new)
        client.leave()
        await self._let_go()

    async def _upstreams(self, new: bytes) -> None:
        """Accept what is asked for, and answer whatever comes to mind."""
        await turn()
        for side in Side:
            network = self.scene.network[side]
            while network.pending:
                await network.accept()
            for transport in network.transports:
                raw = mutate(
                    self._chance.choice(self._answers), self._answers, self._chance, LARGEST
                )
                _say(transport, raw.replace(b"\r\n", b"\r\nX-New: " + new + b"\r\n", 1))

    async def _let_go(self) -> None:
        """Close what is open, and let the rig forget it: only the proxy may remember."""
        for network in self.scene.network.values():
            for transport in network.transports:
                transport.lose()
            network.transports.clear()
            network.attempts.clear()
        self.scene.clients.clear()
        self.scene.tap.captures.clear()
        self.scene.plane.batch(self.scene.plane.tallies.take_all())
        await turn()


def _say(transport: FakeTransport, raw: bytes) -> None:
    if transport.is_reading() and not transport.closing:
        transport.receive(raw)


def _alive(*kinds: type) -> list[Any]:
    gc.collect()
    return [each for each in gc.get_objects() if isinstance(each, kinds)]


async def test_20000_hostile_inputs_leave_nothing_behind() -> None:
    """No exchange, no connection; what is remembered has its bounds, and nothing else grows."""
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    it = Hostility()
    known = (*vars(fields).values(), *vars(head).values())
    memories: list[Remembered[Any]] = [each for each in known if isinstance(each, Remembered)]
    assert len(memories) >= 5
    fullest = [0] * len(memories)

    async def round_of(inputs: int) -> int:
        for _ in range(inputs // 500):
            await it.go_on(500)
            for n, memory in enumerate(memories):
                fullest[n] = max(fullest[n], len(memory))
                assert len(memory) <= memory.keep
                assert all(len(key) <= memory._longest for key in list(memory._known)[:50])
            _check_table(it.scene.plane.table)
        for memory in memories:
            memory.clear()
        _forget(it.scene.plane.table)
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    await round_of(INPUTS - TRACED)
    tracemalloc.start()
    try:
        before = await round_of(TRACED // 3)
        after = await round_of(TRACED - TRACED // 3)
    finally:
        tracemalloc.stop()
    assert sum(full > 500 for full in fullest) >= 3, "the memories were not put to the test"
    assert after - before < GROWTH
    assert not failures
    assert it.scene.plane.admission.in_flight == 0
    assert it.scene.plane.connections == 0
    assert not it.scene.live
    assert _alive(Exchange, Downstream, UpstreamConnection, Client, FakeTransport) == []


def _check_table(table: Table | None) -> None:
    assert table is not None
    assert 0 < len(table._trust) <= 4096


def _forget(table: Table | None) -> None:
    assert table is not None
    table._trust.clear()
