"""The worker's end: one process, started when it is needed and ended when it is not."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from asyncio import StreamReader, StreamWriter
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable
from typing import Any, Final, TypeVar, TypeVarTuple

from shadow_compare.aside.wire import LENGTH, Ended, framed, said_in
from shadow_compare.normalize import NotComparableError

IDLE: Final = 30.0
"""Seconds without work after which the process ends: it may have grown."""

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class AsideError(Exception):
    """What was to be done aside has failed; the text is its traceback."""


class Aside:
    """Has work done by a process of its own, one piece at a time, in turn.

    `waiting_max` pieces at most are held, the one under way among them; one that takes more than
    `seconds` is ended with its process. What is lost with a process is the piece it was at.
    """

    def __init__(self, waiting_max: int, seconds: float, idle: float = IDLE) -> None:
        self._waiting_max: Final = waiting_max
        self._seconds: Final = seconds
        self._idle: Final = idle
        self._turn = asyncio.Lock()
        self._held = 0
        self._process: Process | None = None
        self._let_gone: list[Process] = []
        self._end_when_idle: asyncio.TimerHandle | None = None

    @property
    def pid(self) -> int | None:
        """Of the process, while there is one."""
        return None if self._process is None else self._process.pid

    async def run(self, job: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        """Have a function of a module called with values that can be pickled.

        Raises what it does of NotComparableError, NotComparableError itself (dropped, too_slow,
        too_big, aside_died), and AsideError.
        """
        if self._held >= self._waiting_max:
            raise NotComparableError("dropped")
        self._held += 1
        try:
            async with self._turn:
                ended, value = await self._asked(framed((job, arguments)))
        finally:
            self._held -= 1
        if ended is Ended.NOT_COMPARABLE:
            raise NotComparableError(value)
        if ended is Ended.FAILED:
            raise AsideError(value)
        result: Result = value
        return result

    async def close(self) -> None:
        """End the process, whatever it is at."""
        if self._end_when_idle is not None:
            self._end_when_idle.cancel()
        for process in (self._process, *self._let_gone):
            if process is not None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        await self._forget()
        while self._let_gone:
            await self._let_gone.pop().wait()

    async def _forget(self) -> None:
        """Wait for the end of a process that is ending, and know it no more."""
        process, self._process = self._process, None
        if process is None:
            return
        writer, _ = _pipes(process)
        writer.close()
        await process.wait()
        with contextlib.suppress(OSError):  # what it was sent and did not read any more
            await writer.wait_closed()

    async def _asked(self, message: bytes) -> tuple[Ended, Any]:
        try:
            async with asyncio.timeout(self._seconds):
                return await self._exchange(message)
        except TimeoutError:
            await self.close()
            raise NotComparableError("too_slow") from None
        except (OSError, EOFError) as error:  # its ends of the pipes are closed: it is gone
            await self._forget()
            raise NotComparableError("aside_died") from error
        except asyncio.CancelledError:
            await self.close()  # else its answer would pass for that of the next
            raise

    async def _exchange(self, message: bytes) -> tuple[Ended, Any]:
        writer, reader = _pipes(await self._running())
        writer.write(message)
        await writer.drain()
        (size,) = LENGTH.unpack(await reader.readexactly(LENGTH.size))
        ended: tuple[Ended, Any] = said_in(await reader.readexactly(size))
        return ended

    async def _running(self) -> Process:
        """Give the process, started if need be, and put off its end."""
        loop = asyncio.get_running_loop()
        if self._end_when_idle is not None:
            self._end_when_idle.cancel()
        self._end_when_idle = loop.call_later(self._idle, self._let_go)
        if self._process is None or self._process.returncode is not None:
            found = os.pathsep.join(filter(None, sys.path))
            self._process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "shadow_compare.aside",
                stdin=PIPE, stdout=PIPE, env={**os.environ, "PYTHONPATH": found},
            )  # fmt: skip
        return self._process

    def _let_go(self) -> None:
        """Let it end by itself; while it works, or is wanted, it is not idle."""
        if self._held:
            self._end_when_idle = asyncio.get_running_loop().call_later(self._idle, self._let_go)
        elif self._process is not None:
            process, self._process = self._process, None
            _pipes(process)[0].close()
            self._let_gone = [each for each in self._let_gone if each.returncode is None]
            self._let_gone.append(process)


def _pipes(process: Process) -> tuple[StreamWriter, StreamReader]:
    if process.stdin is None or process.stdout is None:
        raise BrokenPipeError("it was started without pipes")
    return process.stdin, process.stdout
