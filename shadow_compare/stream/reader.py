"""From the stream to a shadow worker's queue, and back what has been dealt with."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any, Final

from redis.asyncio import Redis
from redis.exceptions import ResponseError

from shadow_compare.capture import Capture, CaptureError, method_of, route_of
from shadow_compare.intake import Lost, Source
from shadow_compare.queue import Arrival, CaptureQueue
from shadow_compare.stream.place import BLOCK, FIELD, GONE, GROUP, Patience, Place, connect, goes_on

AT_ONCE: Final = 100
"""Entries that are asked for in one request."""

CONCLUDE: Final = 0.05
"""Seconds between words to Redis of what has been dealt with."""

IDLE: Final = 5.0
"""Seconds without a sign of life after which an entry is taken from its reader: it is dead."""

SIGNS: Final = 5
"""How often in that time a reader shows life for what it holds, and looks what others left."""

DELIVERIES: Final = 3
"""How many readers may die with an entry before it is given up: perhaps it is what kills them."""

FORGET: Final = 600.0
"""Seconds after which a reader that is gone, and has left nothing, is forgotten."""

_SAFE: Final = frozenset({"GET", "HEAD"})

_log = logging.getLogger("cutover.stream")

Entry = tuple[bytes, dict[bytes, bytes]]


def from_stream(place: Place, name: str, held_most: int, reclaimed: Counter[str]) -> Source:
    """Take captures from the stream, as a consumer that no one else has been."""
    consumer = f"{socket.gethostname()}:{name}:{os.getpid()}:{secrets.token_hex(4)}"
    return lambda queue, lost: StreamReader(
        place, queue, lost, consumer, held_most, reclaimed
    ).run()


class StreamReader:
    """One consumer of the group. It holds no more than `held_most`, so that others get theirs.

    `reclaimed` counts captures taken over from dead readers, by consumer.
    """

    def __init__(
        self,
        place: Place,
        queue: CaptureQueue,
        lost: Lost,
        consumer: str,
        held_most: int,
        reclaimed: Counter[str],
        *,
        client: Redis | None = None,
        idle: float = IDLE,
    ) -> None:
        self._reclaimed: Final = reclaimed
        self._key: Final = place.key
        self._client: Final = client or connect(place)
        self._queue: Final = queue
        self._lost: Final = lost
        self._consumer: Final = consumer
        self._held_most: Final = held_most
        self._idle: Final = idle
        self._held: set[bytes] = set()
        self._concluded: dict[bytes, None] = {}
        self._room = asyncio.Event()
        self._is_gone = False

    async def run(self) -> None:
        """Read until cancelled; then says what it has dealt with."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._again(self._read))
                tasks.create_task(self._again(partial(_every, CONCLUDE, self._conclude)))
                tasks.create_task(self._again(partial(_every, self._idle / SIGNS, self._care)))
        finally:
            await self._leave()

    async def _again(self, job: Callable[[], Awaitable[None]]) -> None:
        """Do a job until cancelled, over all failures of Redis."""
        patience = Patience()
        while goes_on():
            try:
                await job()
                patience.reset()
            except GONE as error:
                if "NOGROUP" in str(error) and await self._found_group():
                    continue  # at a first start, or when Redis has lost everything
                self._complain(error)
                await asyncio.sleep(patience.wait())

    # Reading

    async def _read(self) -> None:
        room = self._held_most - len(self._held)
        if room <= 0:
            self._room.clear()
            await self._room.wait()
            return
        found: Any = await self._client.xreadgroup(
            GROUP,
            self._consumer,
            {self._key: ">"},
            count=min(room, AT_ONCE),
            block=int(BLOCK * 1000),
        )
        self._heard()
        for _, entries in found or ():
            await self._take(entries)

    async def _take(self, entries: list[Entry]) -> None:
        """Queue what came; a write must be acknowledged first: whoever has done so sends it."""
        for identifier, fields in entries:
            try:
                frame = fields[FIELD]
                route, method = route_of(frame), method_of(frame)
            except (KeyError, CaptureError) as error:
                self._lost("bad_frame", None, error)
                self._concluded[identifier] = None
                continue
            if method in _SAFE:
                self._held.add(identifier)
                self._put(Arrival(route, frame, partial(self._done, identifier)))
            elif await self._forget([identifier]):
                self._put(Arrival(route, frame))

    def _put(self, arrival: Arrival) -> None:
        for dropped in self._queue.put(arrival):
            dropped.concluded()
            self._count("dropped", dropped.frame)

    def _count(self, reason: str, frame: bytes) -> None:
        try:
            self._lost(reason, Capture.decode(frame), None)
        except CaptureError as error:
            self._lost("bad_frame", None, error)

    # Saying what has been dealt with

    def _done(self, identifier: bytes) -> None:
        self._held.discard(identifier)
        self._concluded[identifier] = None
        self._room.set()

    async def _conclude(self) -> None:
        """Take out of the stream what has been dealt with; said again until Redis hears it."""
        done = tuple(self._concluded)
        if done:
            await self._forget(done)
            for identifier in done:
                del self._concluded[identifier]

    async def _forget(self, identifiers: Sequence[bytes]) -> int:
        """Acknowledge entries and delete them; gives how many of them were still pending."""
        async with self._client.pipeline(transaction=True) as pipeline:
            pipeline.xack(self._key, GROUP, *identifiers)
            pipeline.xdel(self._key, *identifiers)
            acknowledged, _ = await pipeline.execute()
        return int(acknowledged)

    # Signs of life, and what others have left

    async def _care(self) -> None:
        ours = await self._deliveries()
        await self._show_life([each for each in self._held if each in ours])
        await self._reclaim()
        await self._forget_the_dead()

    async def _show_life(self, held: list[bytes]) -> None:
        """Begin anew the time after which what is held would be taken from us.

        Not of what has been taken: whoever stood still for so long was as good as dead.
        """
        if held:
            ids: tuple[Any, ...] = tuple(held)
            await self._client.xclaim(self._key, GROUP, self._consumer, 0, ids, justid=True)

    async def _reclaim(self) -> None:
        room = self._held_most - len(self._held)
        if room <= 0:
            return
        _, entries, *_ = await self._client.xautoclaim(
            self._key, GROUP, self._consumer, int(self._idle * 1000), count=min(room, AT_ONCE)
        )
        # Our own, of which Redis has not heard for a while, are being dealt with.
        left = [e for e in entries if e[0] not in self._held and e[0] not in self._concluded]
        deliveries = await self._deliveries() if left else {}
        for entry in left:
            await self._take_over(entry, deliveries.get(entry[0], 0))

    async def _take_over(self, entry: Entry, deliveries: int) -> None:
        """Examine what a dead reader has left, unless it is a write, or what kills readers."""
        identifier, fields = entry
        frame = fields.get(FIELD, b"")
        if deliveries > DELIVERIES:
            reason = "gave_up"
        elif _is_write(frame):
            reason = "worker_died"
        else:
            self._reclaimed[self._consumer] += 1
            await self._take([entry])
            return
        self._count(reason, frame)
        await self._forget([identifier])

    async def _deliveries(self) -> dict[bytes, int]:
        """Give how often each entry that is ours now has been delivered."""
        found: list[dict[str, Any]] = await self._client.xpending_range(
            self._key, GROUP, "-", "+", self._held_most + AT_ONCE, self._consumer
        )
        return {each["message_id"]: each["times_delivered"] for each in found}

    async def _forget_the_dead(self) -> None:
        for each in await self._client.xinfo_consumers(self._key, GROUP):
            said: dict[str, Any] = each
            if said["pending"] == 0 and said["idle"] > FORGET * 1000:
                await self._client.xgroup_delconsumer(self._key, GROUP, said["name"])

    # Redis comes and goes

    async def _found_group(self) -> bool:
        """Make the group, from the stream's beginning on; gives whether there is one."""
        try:
            await self._client.xgroup_create(self._key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            return "BUSYGROUP" in str(error)  # another reader was quicker
        except GONE:
            return False
        return True

    def _heard(self) -> None:
        if self._is_gone:
            self._is_gone = False
            _log.info("Redis gives captures again")

    def _complain(self, error: BaseException) -> None:
        if not self._is_gone:
            self._is_gone = True
            _log.warning("Redis gives no captures: %s", error)

    async def _leave(self) -> None:
        """Say what has been dealt with; what is held goes to the others."""
        try:
            await self._conclude()
            if not self._held:
                await self._client.xgroup_delconsumer(self._key, GROUP, self._consumer)
        except GONE:
            pass
        finally:
            await self._client.aclose()


async def _every(seconds: float, job: Callable[[], Awaitable[None]]) -> None:
    await job()
    await asyncio.sleep(seconds)


def _is_write(frame: bytes) -> bool:
    try:
        return method_of(frame) not in _SAFE
    except CaptureError:
        return False
