"""What writes requests down in a process that takes captures: by the order of its host."""

from __future__ import annotations

import asyncio
import time
from typing import Final

from proxy.bootstrap.paths import StatePaths
from proxy.settings import ServeSettings
from shadow_compare.recorder.recorder import Order, Recorder

FOLLOW: Final = 1.0
"""Seconds between looks at the order, besides those for each request."""

FORGET_EVERY: Final = 600
"""Looks at the order between looks for recordings that are too old."""


def recorder(paths: StatePaths, name: str, parts: int) -> Recorder:
    """Give what records under this name, one of so many that share the bytes of an order."""

    def order() -> Order | None:
        found = paths.recording.read()
        if found is None:
            return None
        return Order(found.id, found.until, found.size // parts)

    return Recorder(paths.recording.folder, name, order)


async def keep_recordings(settings: ServeSettings, recorder: Recorder) -> None:
    """Notice the end of a recording, and remove those that are older than samples are kept."""
    turns = 0
    while True:
        recorder.follow()
        if turns % FORGET_EVERY == 0:
            recorder.forget(time.time() - settings.keep_days * 86_400.0)
        turns += 1
        await asyncio.sleep(FOLLOW)
