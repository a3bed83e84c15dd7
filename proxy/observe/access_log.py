"""The access log: one JSON object a line, saying who answered and why that side.

Lines are collected on the hot path and written by a thread, so that a slow disk or a full pipe
never holds a request. When the thread cannot keep up lines are dropped, and the log says how many.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Final

import orjson
import structlog

LINES_MAX: Final = 20_000
"""Lines that may wait to be written; beyond it new ones are dropped and counted."""

Line = dict[str, object]

log = logging.getLogger(__name__)

CLOSE_DEADLINE: Final = 2.0
"""Seconds that the end of the process waits for lines to be written, and not longer."""


class AccessLog:
    """Collects lines; `flush` hands them to a thread. `target` is `-` or a file's path."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._is_ours = target != "-"
        self._reopening = False
        self._file: IO[bytes] = (
            Path(target).open("ab") if self._is_ours else sys.stdout.buffer  # noqa: SIM115 - open for as long as the process lives
        )
        # Its own thread: the event loop's end waits for those of the loop, however long they take.
        self._thread = ThreadPoolExecutor(1, "access-log")
        self._lines: list[Line] = []
        self._dropped = 0
        self._writing: asyncio.Future[int] | None = None

    def record(self, line: Line) -> None:
        """Take one line; `at` is wall-clock seconds."""
        if len(self._lines) < LINES_MAX:
            self._lines.append(line)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Begin to write what has been collected, unless a write is still going on."""
        if (self._lines or self._reopening) and (self._writing is None or self._writing.done()):
            self._begin()

    def reopen(self) -> None:
        """Go on in a new file of the same name: logrotate has moved the old one away."""
        self._reopening = self._is_ours

    async def close(self) -> None:
        """Write the rest, unless nobody takes it for `CLOSE_DEADLINE` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_DEADLINE):
                if self._writing is not None:
                    await asyncio.shield(self._writing)
                await asyncio.shield(self._begin())
                self._thread.shutdown()
                if self._is_ours:
                    with contextlib.suppress(OSError):
                        self._file.close()

    def _begin(self) -> asyncio.Future[int]:
        if self._writing is not None:
            self._dropped += self._writing.result()
        lines, dropped = self._lines, self._dropped
        self._lines, self._dropped = [], 0
        loop = asyncio.get_running_loop()
        self._writing = writing = loop.run_in_executor(self._thread, self._write, lines, dropped)
        return writing

    def _write(self, lines: list[Line], dropped: int) -> int:
        """Write lines, and how many are missing; gives how many are missing now. In the thread."""
        if self._reopening:
            self._reopen()
        sink = _Sink()
        logger = structlog.wrap_logger(sink, processors=[_RENDER])
        # A full disk, a closed pipe or a line that is not JSON costs the log, never the traffic.
        try:
            for line in lines:
                logger.info(**_timed(line))
            if dropped:
                logger.info("access_log_dropped", lines=dropped)
            self._file.write(b"".join(sink.written))
            self._file.flush()
        except (OSError, ValueError, TypeError):
            return dropped + len(lines)
        return 0

    def _reopen(self) -> None:
        """Open first: without the new file the old one is better than none. In the thread."""
        self._reopening = False
        try:
            new = Path(self._target).open("ab")  # noqa: SIM115 - open for as long as the process lives
        except OSError as error:
            log.error("%s cannot be opened anew: %s", self._target, error.strerror)  # noqa: TRY400 - the text is the whole story
            return
        with contextlib.suppress(OSError):
            self._file.close()
        self._file = new


_RENDER: Final = structlog.processors.JSONRenderer(
    serializer=lambda value, **_: orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
)


class _Sink:
    """Collects what is rendered, to be written at once: structlog's own flushes every line."""

    def __init__(self) -> None:
        self.written: list[bytes] = []

    def info(self, line: bytes) -> None:
        """Take one rendered line."""
        self.written.append(line)


def _timed(line: Line) -> Line:
    at = line.pop("at", None)
    if isinstance(at, float):
        line = {"at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), **line}
    return {"event": "exchange", **line}
