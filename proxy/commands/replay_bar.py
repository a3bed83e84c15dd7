"""How a replay is going: a bar on a terminal, a line now and then anywhere else."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.text import Text

from proxy.admin.console import wording
from proxy.commands.output import print_line

EVERY: Final = 10.0
"""Seconds between lines where there is no terminal, as in the log of a build."""
_SPAN: Final = 15.0
"""Seconds over which speed is measured: what was skipped after a kill says nothing of the rest."""
_BAR_LEAST: Final = 8
_BAR_MOST: Final = 40
_GAP: Final = "  "


class Counts(NamedTuple):
    """Requests that a run has dealt with so far, and pairs that differ."""

    done: int = 0
    differ: int = 0


class Standing(NamedTuple):
    """What is shown: the share that was read, the speed, and the seconds left if anybody knows."""

    counts: Counts
    share: float
    per_second: float | None = None
    left: float | None = None

    @property
    def words(self) -> str:
        """Say what was done, in words."""
        counts = self.counts
        return f"{wording.count(counts.done)} done, {wording.count(counts.differ)} differ"

    @property
    def time_left(self) -> str:
        """Say how long it will take, or nothing."""
        return "" if self.left is None else f"{wording.duration(self.left)} left"


class Speed:
    """Measures over the last seconds how fast it goes, by (time, bytes read, requests done)."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._seen: deque[tuple[float, int, int]] = deque()

    def standing(self, now: float, read: int, counts: Counts) -> Standing:
        """Take in how far it is now, and say where that stands."""
        self._seen.append((now, read, counts.done))
        while self._seen[0][0] < now - _SPAN and len(self._seen) > 2:
            self._seen.popleft()
        share = min(1.0, read / self._size) if self._size else 1.0
        since, read_then, done_then = self._seen[0]
        if now - since < 1.0:
            return Standing(counts, share)
        per_second, moved = (counts.done - done_then) / (now - since), read - read_then
        rest = self._size - read
        left = rest / moved * (now - since) if moved > 0 and rest > 0 else None
        return Standing(counts, share, per_second, left)


def bar_line(standing: Standing, width: int, *, ascii_only: bool = False) -> Text:
    """Write one line of at most so many columns: what matters least is left out first."""
    percent = f"{standing.share:4.0%}"
    room = width - len(percent) - len(_GAP) - len(standing.words)
    has_bar = room >= _BAR_LEAST + 1
    room -= _BAR_LEAST + 1 if has_bar else 0
    speed = "" if standing.per_second is None else wording.rate(standing.per_second)
    ends: list[str] = []
    for part in (standing.time_left, speed):
        if part and room >= len(part) + len(_GAP):
            ends.insert(0, part)
            room -= len(part) + len(_GAP)
    line = Text(no_wrap=True, overflow="crop")
    if has_bar:
        line.append_text(
            _bar(standing.share, min(_BAR_MOST, _BAR_LEAST + max(0, room)), ascii_only)
        )
        line.append(" ")
    line.append(percent)
    line.append(_GAP + standing.words, style="red" if standing.counts.differ else "")
    for part in ends:
        line.append(_GAP + part, style="dim")
    line.truncate(width)
    return line


def _bar(share: float, width: int, ascii_only: bool) -> Text:
    full = int(share * width)
    done, rest = ("#", "-") if ascii_only else ("\N{BOX DRAWINGS HEAVY HORIZONTAL}",) * 2
    return Text.assemble((done * full, "green"), (rest * (width - full), "bright_black"))


def bar_for(
    stream: TextIO, size: int, monotonic: Callable[[], float] = time.monotonic
) -> TerminalBar | Lines:
    """Give what suits a stream."""
    kind = TerminalBar if stream.isatty() else Lines
    return kind(stream, size, monotonic)


class TerminalBar:
    """One line that is drawn again and again, as wide as the terminal is at that moment."""

    def __init__(self, stream: TextIO, size: int, monotonic: Callable[[], float]) -> None:
        self._console = Console(file=stream)
        self._live = Live(console=self._console, auto_refresh=False)
        self._speed = Speed(size)
        self._monotonic = monotonic

    def move(self, read: int, counts: Counts) -> None:
        """Draw it."""
        standing = self._speed.standing(self._monotonic(), read, counts)
        plain = not (self._console.encoding or "").lower().startswith("utf")
        line = bar_line(standing, self._console.width, ascii_only=plain)
        self._live.update(line, refresh=True)

    def __enter__(self) -> Self:
        self._live.start()
        self.move(0, Counts())
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()


class Lines:
    """A line every few seconds, for a log."""

    def __init__(self, stream: TextIO, size: int, monotonic: Callable[[], float]) -> None:
        self._stream = stream
        self._speed = Speed(size)
        self._monotonic = monotonic
        self._due = monotonic() + EVERY

    def move(self, read: int, counts: Counts) -> None:
        """Say it, when it is time."""
        now = self._monotonic()
        standing = self._speed.standing(now, read, counts)
        if now < self._due:
            return
        self._due = now + EVERY
        parts = (f"{standing.share:.0%} read", standing.words, standing.time_left)
        print_line(self._stream, "cutover: " + "; ".join(filter(None, parts)))
        self._stream.flush()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None
