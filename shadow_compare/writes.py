"""Mirrored writes: each put to modern once, one of a route at a time, until one is not believed.

    wait for the turn  take the permit  ask  (give the permit back | halt)  compare

What is sent is never sent again: not by a race guard, not on a new connection, not by the worker
that goes on in the place of a dead one.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from shadow_compare.asking import Seal, write_id
from shadow_compare.capture import Capture
from shadow_compare.conclusions import Ends
from shadow_compare.config import LEGACY, ShadowConfig, ShadowSettings
from shadow_compare.examine import Examiner
from shadow_compare.normalize import NotAcknowledgedError, NotComparableError
from shadow_compare.sides import Heard, Sides, as_seen
from shadow_compare.store.errors import StoreError
from shadow_compare.store.permits import Permit, Permits

METHODS: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})

POLL_FIRST: Final = 0.005
POLL_MAX: Final = 0.1
"""Seconds between looks at a permit that another worker holds."""

GIVE_BACK_AFTER: Final = (0.0, 0.5, 2.0)
"""Seconds before each attempt to give a permit back."""

_log = logging.getLogger("cutover.shadow")


@dataclass(frozen=True, slots=True)
class Halt:
    """That writes of a route are mirrored no more, by whose answer (`write`, its id) and why."""

    route: str
    epoch: int
    write: str
    why: str


class MirroredWrites:
    """The writes of all routes, as one worker sends them.

    Each ends with what it came to, or with the reason why it was not compared; `halted` hears of a
    route whose writes must stop everywhere.
    """

    def __init__(
        self,
        settings: ShadowSettings,
        sides: Sides,
        permits: Permits,
        examiner: Examiner,
        ends: Ends,
        config: Callable[[], ShadowConfig],
        *,
        halted: Callable[[Halt], None],
        wall: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._sides = sides
        self._permits = permits
        self._config = config
        self._examiner = examiner
        self._ends = ends
        self._halted = halted
        self._wall = wall
        self._halts: dict[str, Halt] = {}
        self._lanes: dict[str, deque[Capture]] = {}
        self._bytes = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    @property
    def halts(self) -> list[Halt]:
        """Routes whose writes must stop, although the rules in force still let them come."""
        writes = self._config().writes
        return [each for each in self._halts.values() if writes.get(each.route) == each.epoch]

    def put(self, capture: Capture) -> None:
        """Take a write, to be sent when it is its turn; raises NotComparableError."""
        if capture.primary != LEGACY or capture.route not in self._config().writes:
            raise NotComparableError("unsafe_method")
        lane = self._lanes.get(capture.route, ())
        full = self._bytes + _size(capture) > self._settings.writes_bytes_max
        if self._closing or full or len(lane) >= self._settings.writes_max:
            raise NotComparableError("dropped")
        self._bytes += _size(capture)
        if isinstance(lane, deque):
            lane.append(capture)
            return
        self._lanes[capture.route] = lane = deque((capture,))
        task = asyncio.get_running_loop().create_task(self._drive(capture.route, lane))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Send no more, and wait for the answers of those that were sent."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.deadline)
        for task in self._tasks:
            task.cancel()

    async def _drive(self, route: str, lane: deque[Capture]) -> None:
        """Send the writes of one route in turn, until there are none."""
        while lane:
            capture = lane.popleft()
            self._bytes -= _size(capture)
            try:
                await self._send(capture)
            except NotComparableError as error:
                self._ends.failed(error.reason, capture, error)
            except StoreError as error:
                self._ends.failed("store_error", capture, error)
            except Exception as error:  # whatever it is, it ends here
                self._ends.failed("internal_error", capture, error)
        del self._lanes[route]

    async def _send(self, capture: Capture) -> None:
        """Send one write; raises NotComparableError, and StoreError when nothing was sent."""
        write = write_id(capture)
        epoch = await self._take(capture, write)
        seal = Seal(self._settings.write_key, write, int(self._wall()))
        try:
            heard = await self._sides.ask_to_write(capture, self._config(), seal)
        except NotAcknowledgedError as error:
            await self._halt(Halt(capture.route, epoch, write, error.why))
            raise
        except NotComparableError:
            await self._give_back(capture.route, epoch, write, acknowledged=False)
            raise
        await self._give_back(capture.route, epoch, write, acknowledged=True)
        await self._compare(capture, heard)

    async def _compare(self, capture: Capture, heard: Heard) -> None:
        """Compare what a write came to; whatever else it needs, nobody is asked again."""
        config = self._config()
        seen = as_seen(capture, config)
        examined = await self._examiner.judge(seen, heard, config, lasting=False)
        await self._ends.compared(seen, examined)

    async def _take(self, capture: Capture, write: str) -> int:
        """Wait for the permit to send this write; gives its epoch. Raises NotComparableError."""
        route, pause = capture.route, POLL_FIRST
        while True:
            epoch = self._config().writes.get(route)
            if epoch is None or self._is_halted(route, epoch):
                raise NotComparableError("writes_halted")
            now = self._wall()
            if self._closing:
                raise NotComparableError("dropped")
            if now - capture.at > self._settings.capture_age_max:
                raise NotComparableError("stale")
            asked = await self._permits.take(route, epoch, write, now)
            match asked.permit:
                case Permit.GIVEN:
                    return epoch
                case Permit.REPEATED:
                    raise NotComparableError("repeated")
                case Permit.HALTED:
                    self._tell(Halt(route, epoch, write, asked.halted))
                case Permit.TAKEN:
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, POLL_MAX)

    async def _give_back(self, route: str, epoch: int, write: str, *, acknowledged: bool) -> None:
        """Give the permit back; if the store will not have it, the route halts as by a loss."""
        for pause in GIVE_BACK_AFTER:
            await asyncio.sleep(pause)
            try:
                await self._permits.give_back(route, epoch, write, acknowledged=acknowledged)
            except StoreError as error:
                self._ends.failed("store_error", None, error)
            else:
                return

    def _is_halted(self, route: str, epoch: int) -> bool:
        halt = self._halts.get(route)
        return halt is not None and halt.epoch == epoch

    async def _halt(self, halt: Halt) -> None:
        """Stop the writes of a route: here first, then wherever the store is asked."""
        _log.error(
            "writes of %s are mirrored no more: write %s was not acknowledged: %s",
            halt.route,
            halt.write,
            halt.why,
        )
        self._tell(halt)
        try:
            await self._permits.halt(halt.route, halt.epoch, halt.why)
        except StoreError as error:  # its permit stays taken, so nobody else gets one either
            self._ends.failed("store_error", None, error)

    def _tell(self, halt: Halt) -> None:
        self._halts[halt.route] = halt
        self._halted(halt)


def _size(capture: Capture) -> int:
    return len(capture.request_body) + len(capture.body)
