"""The life that all children have in common: one coroutine on an event loop, until a signal."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

import uvloop

from proxy.bootstrap.logs import log
from proxy.errors import CutoverError
from proxy.serving.vitals import Pulse


@dataclass(frozen=True, slots=True)
class Process:
    """One child as the others know it: what it is, which of its kind, and its signs of life."""

    role: str
    index: int
    pulse: Pulse


def run(main: Callable[..., Coroutine[Any, Any, None]], *arguments: object) -> int:
    """Be the process; gives its exit status."""
    try:
        uvloop.run(main(*arguments))
    except CutoverError as error:
        log.error("%s", error)
        return 1
    return 0


async def until_stopped(work: Awaitable[object]) -> None:
    """Run until SIGTERM or SIGINT cancels it."""
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await task
