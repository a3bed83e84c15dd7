"""What the kernel says that a process has used: CPU time in nanoseconds, memory in bytes."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

_CPUCLOCK_SCHED = 2


def cpu_ns(pids: Iterable[int]) -> int:
    """Give the CPU time of these processes, all their threads, ended ones too, in nanoseconds.

    This is the scheduler's own account (`sum_exec_runtime`), read through the process's CPU clock,
    whose number `clock_getcpuclockid(3)` makes in this way. /proc/PID/stat shows the same in ticks
    of 10 ms. Raises OSError when a process is gone.
    """
    return sum(time.clock_gettime_ns(~pid << 3 | _CPUCLOCK_SCHED) for pid in pids)


def pss_bytes(pids: Iterable[int]) -> int:
    """Give the memory of these processes; a page that several share counts in parts."""
    return sum(_kilobytes(Path(f"/proc/{pid}/smaps_rollup").read_text(), "Pss") for pid in pids)


def rss_bytes(pids: Iterable[int]) -> int:
    """Give the resident memory of these processes; shared pages count for each."""
    return sum(_kilobytes(Path(f"/proc/{pid}/status").read_text(), "VmRSS") for pid in pids)


def open_files(pid: int) -> int:
    """Give how many files and sockets a process has open."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def _kilobytes(text: str, name: str) -> int:
    for line in text.splitlines():
        field, _, value = line.partition(":")
        if field == name:
            return int(value.split()[0]) * 1024
    raise ValueError(f"no field {name} in what the kernel says of a process")


def tree(pid: int) -> list[int]:
    """Give a process and all its descendants that are alive, itself first."""
    found = [pid]
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += tree(int(child))
    return found
