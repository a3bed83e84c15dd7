"""How a person watches a copy: bars on a terminal, plain lines elsewhere, nothing for machines."""

from collections.abc import Callable
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

SECONDS_BETWEEN_LINES = 5.0


class Watcher(Protocol):
    """Is told how far each table is."""

    def begin(self, table: str, rows: int) -> None:
        """Hear that a table of so many rows begins."""

    def advance(self, rows: int) -> None:
        """Hear that so many more rows of it are done."""

    def settle(self) -> None:
        """Hear that all is read, and that the target now checks the set and moves it in."""

    def end(self) -> None:
        """Hear that it is done."""


class Nobody:
    """Watches nothing."""

    def begin(self, table: str, rows: int) -> None:
        """Ignore it."""

    def advance(self, rows: int) -> None:
        """Ignore it."""

    def settle(self) -> None:
        """Ignore it."""

    def end(self) -> None:
        """Ignore it."""


class Lines:
    """Writes a plain line when a table begins and ends, and every few seconds between."""

    def __init__(self, out: TextIO, clock: Callable[[], float]) -> None:
        self._out, self._clock = out, clock
        self._table, self._rows, self._done = "", 0, 0
        self._began = self._told = 0.0

    def begin(self, table: str, rows: int) -> None:
        """Announce the table."""
        self._table, self._rows, self._done = table, rows, 0
        self._began = self._told = self._clock()
        self._say(f"{table}: {rows:,} rows")

    def advance(self, rows: int) -> None:
        """Say how far it is, unless that was said a moment ago."""
        self._done += rows
        now = self._clock()
        if now - self._told >= SECONDS_BETWEEN_LINES:
            self._told = now
            left = (self._rows - self._done) / self._rate(now)
            self._say(
                f"{self._table}: {self._done:,} of {self._rows:,}, "
                f"{self._rate(now):,.0f} rows/s, {left:,.0f} s left"
            )

    def settle(self) -> None:
        """Say why the lines stop for a while."""
        self._say(f"{self._table}: read, checking parents and moving into place")

    def end(self) -> None:
        """Say how fast it was."""
        self._say(f"{self._table}: done, {self._rate(self._clock()):,.0f} rows/s")

    def _rate(self, now: float) -> float:
        return self._done / max(now - self._began, 0.001)

    def _say(self, line: str) -> None:
        print(line, file=self._out, flush=True)  # the stream is an argument


class _RateColumn(ProgressColumn):
    """Rows per second."""

    def render(self, task: Task) -> Text:
        """Return the present speed."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f} rows/s")


class Bars:
    """Draws a bar per table with its rate and the time left; used as a context manager."""

    def __init__(self, console: Console) -> None:
        self._progress = Progress(
            TextColumn("{task.description:<31}"),
            BarColumn(),
            MofNCompleteColumn(),
            _RateColumn(),
            TimeRemainingColumn(),
            console=console,
        )
        self._task: TaskID | None = None
        self._table = ""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begin(self, table: str, rows: int) -> None:
        """Add a bar."""
        self._table = table
        self._task = self._progress.add_task(table, total=rows)

    def advance(self, rows: int) -> None:
        """Move the bar."""
        if self._task is not None:
            self._progress.advance(self._task, rows)

    def settle(self) -> None:
        """Say why the bar stands at its end."""
        if self._task is not None:
            self._progress.update(self._task, description=f"{self._table} (moving in)")

    def end(self) -> None:
        """Give the bar its name back."""
        if self._task is not None:
            self._progress.update(self._task, description=self._table)
