"""`python -m deploy.suite`: all tests, in parts that run side by side, each printed as a whole.

Half of what the tests on real servers take is waiting, so on two cores three parts end sooner than
two. What no part names is in the last: nothing is left out because a list was not kept up.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from deploy.stack.program import ROOT

PATIENCE: Final = 840.0
"""Seconds that a part may take: longer, and something hangs that no limit of a test has ended."""

MERCY: Final = 30.0
"""Seconds in which a part that is asked to end may take its servers down."""

FOLDERS: Final = {
    "stories and pages": ("tests/acceptance", "tests/browser"),
    "servers": ("tests/integration",),
}


@dataclass(frozen=True)
class Part:
    """Commands that run one after the other; the first that fails is the last."""

    name: str
    commands: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Ending:
    """How a part ended: its exit status, and how long it took (seconds; by the clock, of a CPU)."""

    status: int
    wall: float
    cpu: float


def parts(compiled: bool) -> list[Part]:
    """Give all parts; `compiled` says whether the hot path is tested once more in that form."""
    pytest = (sys.executable, "-m", "pytest")
    named = [Part(name, ((*pytest, *folders),)) for name, folders in FOLDERS.items()]
    elsewhere = (f"--ignore={folder}" for folders in FOLDERS.values() for folder in folders)
    rest: list[tuple[str, ...]] = [(*pytest, "tests", *elsewhere)]
    if compiled:
        rest.append((os.environ.get("MAKE", "make"), "--no-print-directory", "test-compiled"))
    return [*named, Part("units, conformance, and the hot path compiled", tuple(rest))]


class Run:
    """One part under way; what it says is added to a file, or shown when there is none."""

    def __init__(self, part: Part, log: Path | None) -> None:
        self._part = part
        self._log = log
        self._ending = Ending(1, 0.0, 0.0)
        self._asked_to_end = False
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def wait(self) -> Ending:
        """Wait for the end."""
        self._thread.join()
        return self._ending

    def end(self) -> None:
        """Ask for an early end, with every server taken down."""
        self._asked_to_end = True
        if self._process is not None:
            self._process.terminate()

    def _work(self) -> None:
        begun, cpu, status = time.monotonic(), 0.0, 0
        with contextlib.nullcontext() if self._log is None else self._log.open("ab") as out:
            for command in self._part.commands:
                status, used = self._command(command, PATIENCE - (time.monotonic() - begun), out)
                cpu += used
                if status or self._asked_to_end:
                    break
        self._ending = Ending(status or int(self._asked_to_end), time.monotonic() - begun, cpu)

    def _command(
        self, command: Sequence[str], limit: float, out: IO[bytes] | None
    ) -> tuple[int, float]:
        argv = ["timeout", "-k", f"{MERCY:.0f}", f"{max(1.0, limit):.0f}", *command]
        process = self._process = subprocess.Popen(
            argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        if self._asked_to_end:
            process.terminate()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return process.returncode, used.ru_utime + used.ru_stime


def run(all_parts: Sequence[Part]) -> int:
    """Run the parts side by side; gives 0 if every one of them has succeeded.

    The first is shown while it runs, the others when it has ended.
    """
    print(f"== {all_parts[0].name}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        logs = [Path(folder, str(number)) for number in range(1, len(all_parts))]
        with ended_by_signals() as runs:
            runs.append(Run(all_parts[0], None))
            runs.extend(map(Run, all_parts[1:], logs))
            endings = [one.wait() for one in runs]
        for part, log in zip(all_parts[1:], logs, strict=True):
            print(f"== {part.name}", flush=True)
            sys.stdout.buffer.write(log.read_bytes())
    print("== how long it took")
    for part, ending in zip(all_parts, endings, strict=True):
        word = "passed" if ending.status == 0 else f"FAILED ({ending.status})"
        print(f"{part.name:<48} {ending.wall:6.0f} s, CPU {ending.cpu:5.0f} s  {word}")
    return int(any(ending.status for ending in endings))


@contextlib.contextmanager
def ended_by_signals() -> Iterator[list[Run]]:
    """Collect runs that SIGINT and SIGTERM end; they are still waited for."""
    runs: list[Run] = []

    def end(*_: object) -> None:
        for one in runs:
            one.end()

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield runs
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def main() -> int:
    """Run everything; gives the exit status."""
    can = subprocess.run([sys.executable, "-m", "deploy.compile", "--can"], cwd=ROOT, check=False)
    if can.returncode:
        print("the compiled form of the hot path is not tested")
    return run(parts(compiled=can.returncode == 0))


if __name__ == "__main__":
    sys.exit(main())
