"""From the data plane's socket to the stream, in a process of its own: it alone awaits Redis."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from redis.asyncio import Redis

from shadow_compare.capture import Capture
from shadow_compare.intake import Intake, Sieve
from shadow_compare.queue import Arrival, CaptureQueue
from shadow_compare.stream.place import FIELD, GONE, GROUP, Patience, Place, connect, goes_on

HELD: Final = 5_000
HELD_BYTES: Final = 16 * 1024 * 1024
"""What waits here at most, in number and bytes, while Redis is slow or gone."""

BATCH: Final = 200
"""Captures that are added in one request."""

MARGIN: Final = 2
"""The stream is trimmed beyond so many times its length: a guard for memory, as what is trimmed is
counted by nobody. It takes several forwarders that do not know of each other to get there."""

GLANCE: Final = 0.1
WATCH: Final = 1.0
"""Seconds between looks at a stream that is full, and at how far its readers are."""

GONE_REASON: Final = "bus_gone"
FULL_REASON: Final = "bus_full"

_log = logging.getLogger("cutover.stream")


class Forwarder:
    """Adds captures to the stream, and tells what came of it.

    What was added and dropped counts since it was last taken. `figures` are the stream's length,
    its lag (entries that nobody has read) and what is pending (read, and not yet dealt with).
    Captures pass the sieve first, whether Redis is there or not.
    """

    def __init__(
        self,
        place: Place,
        *,
        sieve: Sieve = lambda frame: frame,
        client: Redis | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.figures: dict[str, int] = {}
        self._added = 0
        self._place: Final = place
        self._client: Final = client or connect(place)
        self._now: Final = now
        self._dropped: Counter[tuple[str, str]] = Counter()
        self._queue: Final = CaptureQueue(HELD, HELD_BYTES, HELD)
        self._intake: Final = Intake(self._queue, self._lost, sieve)
        self._patience: Final = Patience()
        self._is_gone = False
        self._length = 0
        self._looked = -GLANCE
        self._weight = 1024.0

    async def run(self, socket_path: Path) -> None:
        """Forward until cancelled."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._intake.run(socket_path))
                tasks.create_task(self._forward())
                tasks.create_task(self._watch())
        finally:
            await self._client.aclose()

    def take_added(self) -> int:
        """Give how many were added since the last time."""
        added, self._added = self._added, 0
        return added

    def take_dropped(self) -> dict[str, dict[str, int]]:
        """Give what was dropped since the last time, by route and reason."""
        counted, self._dropped = self._dropped, Counter()
        found: dict[str, dict[str, int]] = {}
        for (route, reason), number in counted.items():
            found.setdefault(route, {})[reason] = number
        return found

    async def _forward(self) -> None:
        while goes_on():
            batch = await self._batch()
            try:
                room = await self._room(len(batch))
                if room:
                    await self._add(batch[:room])
                    self._heard()
                self._drop(batch[room:], FULL_REASON)
            except GONE as error:
                # Perhaps it has been added all the same. Added again, it would be there twice.
                self._drop(batch, GONE_REASON)
                self._complain(error)
                await asyncio.sleep(self._patience.wait())

    async def _batch(self) -> list[Arrival]:
        batch = [await self._queue.get()]
        while len(self._queue) and len(batch) < BATCH:
            batch.append(await self._queue.get())
        for arrival in batch:
            self._queue.done(arrival)
            self._weight += (len(arrival.frame) - self._weight) / 256
        return batch

    @property
    def _most(self) -> int:
        """Entries that the stream may have, by number and, at their mean weight, by bytes."""
        return min(self._place.length, max(1, int(self._place.size / self._weight)))

    async def _room(self, wanted: int) -> int:
        """Give how many fit in, up to so many; a full stream is looked at now and then."""
        if self._length + wanted > self._most and self._now() - self._looked >= GLANCE:
            self._looked = self._now()
            self._length = await self._client.xlen(self._place.key)
        return max(0, min(wanted, self._most - self._length))

    async def _add(self, batch: list[Arrival]) -> None:
        key, guard = self._place.key, MARGIN * self._most
        async with self._client.pipeline(transaction=False) as pipeline:
            for arrival in batch:
                pipeline.xadd(key, {FIELD: arrival.frame}, maxlen=guard, approximate=True)
            pipeline.xlen(key)
            *_, self._length = await pipeline.execute()
        self._added += len(batch)

    async def _watch(self) -> None:
        """Look how far the readers are."""
        while goes_on():
            try:
                self.figures = await stream_figures(self._client, self._place)
            except GONE:
                self.figures = {}
            await asyncio.sleep(WATCH)

    def _drop(self, batch: list[Arrival], reason: str) -> None:
        for arrival in batch:
            self._dropped[arrival.route, reason] += 1

    def _lost(self, reason: str, capture: Capture | None, error: Exception | None) -> None:
        """Count what the intake could not take; what the queue gave up waited for Redis."""
        if capture is not None:
            self._dropped[capture.route, GONE_REASON if self._is_gone else FULL_REASON] += 1
        else:
            _log.warning("a data plane worker's captures: %s: %s", reason, error)

    def _heard(self) -> None:
        self._patience.reset()
        if self._is_gone:
            self._is_gone = False
            _log.info("Redis takes captures again")

    def _complain(self, error: BaseException) -> None:
        if not self._is_gone:
            self._is_gone = True
            _log.warning("Redis takes no captures; they are dropped and counted: %s", error)


async def stream_figures(client: Redis, place: Place) -> dict[str, int]:
    """Give length, lag and pending of a stream; raises what `GONE` names.

    Redis cannot tell the lag when entries that nobody had read were trimmed; then there is none.
    """
    found = {"length": int(await client.xlen(place.key))}
    if not found["length"] and not await client.exists(place.key):
        return {"length": 0, "lag": 0, "pending": 0}
    for group in await client.xinfo_groups(place.key):
        said: dict[str, Any] = group
        if said["name"] == GROUP.encode():
            found["pending"] = int(said["pending"])
            if said.get("lag") is not None:
                found["lag"] = int(said["lag"])
    return found
