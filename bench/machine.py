"""What a figure depends on beside the code: processor, cores, kernel, interpreter, other load."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from pathlib import Path

QUIET = 0.5
"""The load average above which somebody else is using the machine."""

_STEAL = 7


def describe() -> str:
    """One line for above the table."""
    return (
        f"{_model()}, {len(os.sched_getaffinity(0))} cores, Linux {platform.release()},"
        f" Python {platform.python_version()}"
    )


def warning() -> str | None:
    """What speaks against trusting the figures, if anything."""
    load = os.getloadavg()[0]
    if load <= QUIET:
        return None
    return f"the machine is busy (load average {load:.1f}): throughput and latency are too bad"


def stolen_ns(cores: Iterable[int], stat: str | None = None) -> int:
    """Give how long these cores wanted to run and the hypervisor did not let them, since boot.

    It is `steal` of /proc/stat, in steps of a hundredth of a second; zero where there is no
    hypervisor, or one that does not tell. `stat` is the text of that file, read when not given.
    """
    lines = (stat or Path("/proc/stat").read_text()).splitlines()
    fields = {line.split()[0]: line.split()[1:] for line in lines if line.startswith("cpu")}
    ticks = sum(int(fields[f"cpu{core}"][_STEAL]) for core in cores)
    return ticks * 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
