"""Reading back: after a real write, the same GET on both sides, until they agree or time is up.

What was written reaches the other side by the synchronisation of the data, which takes a while. So
a difference counts only when it is still there at the end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from shadow_compare.capture import Capture
from shadow_compare.conclusions import Ends
from shadow_compare.config import ShadowConfig, ShadowSettings
from shadow_compare.examine import Examined, Examiner
from shadow_compare.normalize import NotComparableError
from shadow_compare.read_back import ReadBack, was_carried_out
from shadow_compare.sides import Sides, answered, other
from shadow_compare.verdict import Verdict

PAUSE_FIRST: Final = 0.25
PAUSE_MAX: Final = 2.0
"""Seconds between looks, each twice as long as the one before."""


class ReadBacks:
    """Those under way in one worker; what ends is the read, not the write."""

    def __init__(
        self,
        settings: ShadowSettings,
        sides: Sides,
        examiner: Examiner,
        ends: Ends,
        config: Callable[[], ShadowConfig],
        *,
        monotonic: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._sides = sides
        self._examiner = examiner
        self._config = config
        self._ends = ends
        self._monotonic = monotonic
        self._under_way: set[asyncio.Task[None]] = set()

    def put(self, write: Capture) -> bool:
        """Take a write whose effect is to be read; False when its route reads nothing back."""
        rules = self._config().read_backs.get(write.route)
        if rules is None:
            return False
        if was_carried_out(write):
            if len(self._under_way) >= self._settings.read_backs_max:
                raise NotComparableError("dropped")
            task = asyncio.get_running_loop().create_task(self._follow(write, rules))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        return True

    async def close(self) -> None:
        """Give up those under way."""
        under_way = tuple(self._under_way)
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    async def _follow(self, write: Capture, rules: ReadBack) -> None:
        read = write
        try:
            read = rules.request(write)
            await self._ends.compared(*await self._until_equal(read, rules))
        except NotComparableError as error:
            self._ends.failed(error.reason, read, error)
        except asyncio.CancelledError:
            self._ends.failed("dropped", read, None)
            raise
        except Exception as error:  # whatever it is, it ends here
            self._ends.failed("internal_error", read, error)

    async def _until_equal(self, read: Capture, rules: ReadBack) -> tuple[Capture, Examined]:
        """Look until both sides agree; gives the last look. Raises NotComparableError."""
        end = self._monotonic() + rules.within
        await asyncio.sleep(rules.after)
        pause = PAUSE_FIRST
        while True:
            is_last = self._monotonic() + pause > end
            try:
                seen, examined = await self._look(read, rules)
            except NotComparableError:
                if is_last:
                    raise
            else:
                if is_last or examined.comparison.verdict in (Verdict.MATCH, Verdict.IGNORED):
                    return seen, examined
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE_MAX)

    async def _look(self, read: Capture, rules: ReadBack) -> tuple[Capture, Examined]:
        config, places = self._config(), rules.translate
        primary, candidate = await asyncio.gather(
            self._sides.ask(read.primary, read, config, places),
            self._sides.ask(other(read.primary), read, config, places),
        )
        seen = answered(read, primary)
        examined = await self._examiner.judge(seen, candidate, config, lasting=True)
        return seen, replace(examined, comparison=examined.comparison.at_read_back())
