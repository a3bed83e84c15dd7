"""The access log: one JSON object a line, saying who answered and why that side.

Lines are collected on the hot path and written by a thread, so that a slow disk or a full pipe
never holds a request. When the thread cannot keep up lines are dropped, and the log says how many.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, Final

import orjson
import structlog

LINES_MAX: Final = 20_000
"""Lines that may wait to be written; beyond it new ones are dropped and counted."""

Line = dict[str, object]


class AccessLog:
    """Collects lines; `flush` hands them to a thread. `target` is `-` or a file's path."""

    def __init__(self, target: str) -> None:
        self._file: IO[bytes] = (
            sys.stdout.buffer if target == "-" else Path(target).open("ab")  # noqa: SIM115 - open for as long as the process lives
        )
        self._logger: Any = structlog.wrap_logger(
            structlog.BytesLogger(self._file),
            processors=[structlog.processors.JSONRenderer(serializer=_dumps)],
        )
        self._lines: list[Line] = []
        self._dropped = 0
        self._writing: asyncio.Future[None] | None = None

    def record(self, line: Line) -> None:
        """Take one line; `at` is wall-clock seconds."""
        if len(self._lines) < LINES_MAX:
            self._lines.append(line)
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Begin to write what has been collected, unless a write is still going on."""
        if not self._lines or (self._writing is not None and not self._writing.done()):
            return
        lines = self._take()
        self._writing = asyncio.get_running_loop().run_in_executor(None, self._write, lines)

    async def close(self) -> None:
        """Write the rest."""
        if self._writing is not None:
            await self._writing
        self._write(self._take())

    def _take(self) -> list[Line]:
        lines, self._lines = self._lines, []
        if self._dropped:
            lines.append({"event": "access_log_dropped", "lines": self._dropped})
            self._dropped = 0
        return lines

    def _write(self, lines: list[Line]) -> None:
        # A full disk or a closed pipe costs the log, never the traffic.
        with contextlib.suppress(OSError, ValueError):
            for line in lines:
                self._logger.msg(**_timed(line))
            self._file.flush()


def _timed(line: Line) -> Line:
    at = line.pop("at", None)
    if isinstance(at, float):
        line = {"at": datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds"), **line}
    return {"event": "exchange", **line}


def _dumps(value: Any, **_: Any) -> bytes:
    return orjson.dumps(value)
