"""How long something takes, in CPU time of this process, turn by turn."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import date
from typing import Final, TypeVar

ROUNDS: Final = 9
SECONDS: Final = 0.15
TODAY: Final = date(2026, 3, 1)

Key = TypeVar("Key")
Work = Callable[[], object]


def alternate(works: Mapping[Key, Work]) -> dict[Key, list[float]]:
    """Give seconds of CPU for one run of each, by round: the machine's moods spread over all.

    CPU time and not time on the clock: whoever else runs on this machine takes no part of it.
    """
    counts = {key: _count(work) for key, work in works.items()}
    found: dict[Key, list[float]] = {key: [] for key in works}
    for _ in range(ROUNDS):
        for key, work in works.items():
            found[key].append(_seconds(work, counts[key]))
    return found


def _count(work: Work) -> int:
    """How often it runs in a turn."""
    work()
    return max(1, int(SECONDS / max(_seconds(work, 1), 1e-6)))


def _seconds(work: Work, count: int) -> float:
    start = time.process_time()
    for _ in range(count):
        work()
    return (time.process_time() - start) / count
