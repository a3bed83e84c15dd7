"""The line of one proxy host to the acting controller, over Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from secrets import token_hex
from typing import Any

import orjson
from redis.asyncio import Redis

from proxy.control.bus.base import UNSENT_MAX, OnState, Payload, deliver
from proxy.control.bus.redis_ear import heard, subscribed
from proxy.control.bus.redis_place import (
    BEAT,
    GONE,
    RETRY,
    SILENCE,
    Message,
    RoutingPlace,
    goes_on,
    read_down,
    until_one_ends,
)

log = logging.getLogger(__name__)

OnDown = Callable[[str, int, Payload], None]
"""Takes kind, token and payload of what the acting controller says."""


class RedisLink:
    """Brings down what the acting controller says, and up what the workers of a host say.

    `reachable` tells whether Redis answers, `token` is the newest met there; `on_state` is told
    whether a controller is heard. What one says that has been succeeded is not passed on.
    """

    def __init__(
        self, place: RoutingPlace, host: str, on_message: OnDown, on_state: OnState
    ) -> None:
        self.reachable = False
        self.token = 0
        self._place = place
        self._host = host
        self._instance = token_hex(6)
        self._on_message = on_message
        self._on_state = on_state
        self._hellos: dict[str, Payload] = {}
        self._unsent: deque[bytes] = deque()
        self._unsent_bytes = 0
        self._wake = asyncio.Event()
        self._latest: dict[str, bytes] = {}
        self._alive_at: float | None = None
        self._connected = False

    async def run(self) -> None:
        """Keep the line up, for ever, until cancelled."""
        while goes_on():
            client = self._place.connect()
            try:
                await until_one_ends(self._listen(client), self._talk(client))
            except GONE as error:
                log.debug("Redis cannot be used: %s", error)
            finally:
                self._lost()
                with suppress(*GONE):
                    async with asyncio.timeout(BEAT):
                        await client.publish(self._place.up, self._frame("", "gone", {}))
                        await client.aclose()
            await asyncio.sleep(RETRY)

    def introduce(self, key: str, hello: Payload) -> None:
        """Speak for a worker from now on; `hello` has its role, index and pid."""
        self._hellos[key] = hello
        self._present()

    def leave(self, key: str) -> None:
        """Speak for it no more."""
        if self._hellos.pop(key, None) is not None:
            self._present()

    def send(self, key: str, kind: str, payload: Payload) -> bool:
        """Hand a worker's message over without waiting; False when it was dropped."""
        if not self._connected or self._unsent_bytes > UNSENT_MAX:
            return False
        self._put(self._frame(key, kind, payload))
        return True

    # Down

    async def _listen(self, client: Redis) -> None:
        async with subscribed(client, self._place.down) as pubsub:
            held: dict[Any, Any] = await client.hgetall(self._place.key)
            self.reachable = True
            self.token = max(self.token, int(held.get(b"token", 0)))
            self._present()
            for field, data in held.items():
                if field.startswith(b"m:"):
                    self._take(data)
            async for data in heard(pubsub):
                self._take(data)

    def _take(self, data: bytes) -> None:
        try:
            message = read_down(data)
        except ValueError as error:
            log.warning("a message on the bus was not understood: %s", error)
            return
        kind, token, payload = message
        if token < self.token:
            log.warning("what a controller says that was succeeded is not passed on: %s", kind)
        elif kind in ("alive", "bye"):
            self._hear_of_controller(message)
        elif self._latest.get(kind) != data:  # what is read at the beginning may be sent as well
            self.token, self._latest[kind] = token, data
            deliver(self._on_message, kind, token, payload)

    def _hear_of_controller(self, message: Message) -> None:
        kind, token, _ = message
        if kind == "bye":
            self._alive_at = None
        else:
            if token > self.token or self._alive_at is None:
                self._present()
            self._alive_at = time.monotonic()
        self.token = token
        self._look()

    def _look(self) -> None:
        """Tell when a controller is heard, or no more."""
        silent = self._alive_at is None or time.monotonic() - self._alive_at > SILENCE
        connected = self.reachable and not silent
        if connected is not self._connected:
            self._connected = connected
            deliver(self._on_state, connected)

    def _lost(self) -> None:
        self.reachable = False
        self._alive_at = None
        self._unsent.clear()
        self._unsent_bytes = 0
        self._look()

    # Up

    async def _talk(self, client: Redis) -> None:
        beaten = 0.0
        while goes_on():
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT):
                    await self._wake.wait()
            self._wake.clear()
            self._look()
            if (now := time.monotonic()) - beaten >= BEAT:
                beaten = now
                self._present()
            async with client.pipeline(transaction=False) as pipeline:
                while self._unsent:
                    frame = self._unsent.popleft()
                    self._unsent_bytes -= len(frame)
                    pipeline.publish(self._place.up, frame)
                await pipeline.execute()

    def _present(self) -> None:
        """Say for whom this line speaks; who does not say so any more is taken for gone."""
        if self.reachable:
            self._put(self._frame("", "present", self._hellos))

    def _put(self, frame: bytes) -> None:
        self._unsent.append(frame)
        self._unsent_bytes += len(frame)
        self._wake.set()

    def _frame(self, key: str, kind: str, payload: Payload) -> bytes:
        message = [self._instance, self._host, key, kind, payload]
        return orjson.dumps(message, option=orjson.OPT_NON_STR_KEYS)
