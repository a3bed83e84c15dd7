"""What a figure depends on beside the code: processor, cores, kernel, interpreter, other load."""

from __future__ import annotations

import os
import platform
from pathlib import Path

QUIET = 0.5
"""The load average above which somebody else is using the machine."""


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


def _model() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
