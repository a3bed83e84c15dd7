"""The bus between hosts: the acting controller's end, over Redis, under its token.

A message is sent by a script that refuses it when another controller has a newer token. So whoever
was paused or cut off, and does not know yet that he has been succeeded, reaches nobody.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
from redis.asyncio import Redis

from proxy.control.bus.base import BusError, OnPeerMessage, OnPeerState, Payload, Peer, deliver
from proxy.control.bus.redis_ear import heard, subscribed
from proxy.control.bus.redis_place import (
    BEAT,
    CLAIM,
    GONE,
    PUBLISH,
    RETRY,
    SILENCE,
    RoutingPlace,
    goes_on,
    read_down,
    until_one_ends,
    write_down,
)

log = logging.getLogger(__name__)


class RedisBus:
    """The acting controller's end. `claimed` is the last snapshot that anybody had published.

    `on_refused` is told when Redis knows a newer token: nothing that is said here counts any more.
    """

    def __init__(
        self,
        place: RoutingPlace,
        token: int,
        on_message: OnPeerMessage,
        on_state: OnPeerState,
        on_refused: Callable[[], None] = lambda: None,
    ) -> None:
        self.claimed: Payload | None = None
        self.reachable = False
        self._place = place
        self._token = token
        self._on_message = on_message
        self._on_state = on_state
        self._on_refused = on_refused
        self._latest: dict[str, tuple[int, bytes]] = {}
        self._unsent: set[str] = set()
        self._wake = asyncio.Event()
        self._peers: dict[tuple[str, str], Peer] = {}
        self._heard: dict[str, float] = {}
        self._ids = itertools.count(1)
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Shut out those who acted before; raises BusError when that cannot be done."""
        client = self._place.connect()
        try:
            held, data = await client.eval(CLAIM, 1, self._place.key, self._token)
        except GONE as error:
            raise BusError(f"Redis cannot be used: {error}") from error
        finally:
            with suppress(*GONE):
                await client.aclose()
        if held:
            raise BusError(f"another controller acts already, with token {held}")
        self.claimed = read_down(data)[2] if data else None
        self._task = asyncio.create_task(self._run())

    def publish(self, kind: str, payload: Payload) -> None:
        """Send to every host, and keep as what a newcomer gets first; never waits."""
        number = payload["version"] if kind == "snapshot" else 0
        self._latest[kind] = number, write_down(kind, self._token, payload)
        self._unsent.add(kind)
        self._wake.set()

    def peers(self) -> tuple[Peer, ...]:
        """Give those that somebody speaks for now."""
        return tuple(self._peers.values())

    async def close(self) -> None:
        """Say goodbye; everybody goes on with what they have."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self._task = None
        for instance in tuple(self._heard):
            self._forget(instance)

    async def _run(self) -> None:
        while goes_on():
            client = self._place.connect()
            try:
                await until_one_ends(self._listen(client), self._talk(client))
            except GONE as error:
                if self.reachable:
                    log.error("Redis is gone, no host hears of changes: %s", error)  # noqa: TRY400 - the text is the whole story
            finally:
                self.reachable = False
                with suppress(*GONE):
                    async with asyncio.timeout(BEAT):
                        await client.publish(self._place.down, self._says("bye"))
                        await client.aclose()
            await asyncio.sleep(RETRY)
            self._miss_the_silent(time.monotonic())

    # Down

    async def _talk(self, client: Redis) -> None:
        """Send what is new at once, all of it after a time without Redis, and signs of life."""
        self._unsent.update(self._latest)
        beaten = 0.0
        while goes_on():
            for kind in tuple(self._unsent):
                self._unsent.discard(kind)
                if not await self._is_sent(client, kind):
                    return
            if (now := time.monotonic()) - beaten >= BEAT:
                beaten = now
                await client.publish(self._place.down, self._says("alive"))
                self.reachable = True
                self._miss_the_silent(now)
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._wake.wait()
            self._wake.clear()

    async def _is_sent(self, client: Redis, kind: str) -> bool:
        """Send one message; gives False, and says so, when another controller acts by now."""
        number, frame = self._latest[kind]
        said = (self._token, number, kind, frame, self._place.down)
        held = await client.eval(PUBLISH, 1, self._place.key, *said)
        if held:
            log.error("%s %d was refused: another controller acts, token %s", kind, number, held)
            deliver(self._on_refused)
        return not held

    def _says(self, kind: str) -> bytes:
        return write_down(kind, self._token, {})

    # Up

    async def _listen(self, client: Redis) -> None:
        async with subscribed(client, self._place.up) as pubsub:
            async for data in heard(pubsub):
                try:
                    self._take(orjson.loads(data))
                except ValueError as error:
                    log.warning("a message on the bus was not understood: %s", error)

    def _take(self, message: Any) -> None:
        match message:
            case [str() as instance, str() as host, str(), "present", dict() as hellos]:
                self._heard[instance] = time.monotonic()
                self._meet(instance, host, hellos)
            case [str() as instance, str(), str(), "gone", dict()]:
                self._forget(instance)
            case [str() as instance, str(), str() as key, str() as kind, dict() as payload]:
                if (peer := self._peers.get((instance, key))) is not None:
                    deliver(self._on_message, peer, kind, payload)
            case _:
                raise ValueError("not [instance, host, key, kind, payload]")

    def _meet(self, instance: str, host: str, hellos: dict[str, Payload]) -> None:
        for key in [key for of, key in self._peers if of == instance and key not in hellos]:
            self._part((instance, key))
        for key, hello in hellos.items():
            if (instance, key) not in self._peers:
                self._peers[instance, key] = peer = Peer(
                    id=next(self._ids),
                    role=str(hello["role"]),
                    index=int(hello["index"]),
                    pid=int(hello["pid"]),
                    generation=int(hello.get("generation", 1)),
                    compiled=hello.get("compiled") is True,
                    host=host,
                )
                deliver(self._on_state, peer, True)

    def _part(self, which: tuple[str, str]) -> None:
        deliver(self._on_state, self._peers.pop(which), False)

    def _forget(self, instance: str) -> None:
        self._heard.pop(instance, None)
        for which in [which for which in self._peers if which[0] == instance]:
            self._part(which)

    def _miss_the_silent(self, now: float) -> None:
        for instance in [each for each, at in self._heard.items() if now - at > SILENCE]:
            self._forget(instance)
