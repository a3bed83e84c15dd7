"""Where a process spends its time, by perf: `python -m bench proxy --profile`."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.processes import BenchError, program

LINES = 45


@contextlib.contextmanager
def recording(pids: Sequence[int], data: Path) -> Iterator[Callable[[], str]]:
    """Sample these processes while the block runs; afterwards the given function tells.

    CPython 3.11 does not tell perf of Python functions: what shows are the interpreter, the event
    loop, compiled modules and the kernel. `python -m bench path` tells of the Python side.
    """
    perf = program("perf")
    if perf is None:
        raise BenchError("perf is not installed; on Debian: apt-get install linux-perf")
    command = [perf, "record", "-q", "-F", "1999", "-o", str(data), "-p", ",".join(map(str, pids))]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as recorder:
        try:
            yield lambda: _report(perf, data)
        finally:
            recorder.send_signal(signal.SIGINT)
            recorder.wait(20)


def _report(perf: str, data: Path) -> str:
    return "\n\n".join(_sorted_by(perf, data, keys) for keys in ("dso", "dso,symbol"))


def _sorted_by(perf: str, data: Path, keys: str) -> str:
    done = subprocess.run(
        [perf, "report", "-i", str(data), "--stdio", "--no-children", "-s", keys,
         "--percent-limit", "0.4"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    lines = [
        line.rstrip(" -") for line in done.stdout.splitlines() if line.strip() and line[0] != "#"
    ]
    return "\n".join(lines[:LINES]) or f"perf recorded nothing: {done.stderr.strip()[-300:]}"
