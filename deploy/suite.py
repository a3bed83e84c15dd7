"""`python -m deploy.suite`: all tests, in parts of which three run side by side.

Half of what the tests on real servers take is waiting, so on two cores three parts end sooner than
two. Each part is shown as a whole when it has ended. What no part names is in the one for the rest:
nothing is left out because a list was not kept up.
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
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from deploy.stack.program import ROOT

SIDE_BY_SIDE: Final = 3

PATIENCE: Final = 840
"""Seconds that a part may take: longer, and something hangs that no limit of a test has ended."""

MERCY: Final = 30
"""Seconds in which a part that is asked to end may take its servers down."""

STORIES: Final = ("tests/acceptance",)
OF_BOTH: Final = tuple(
    f"tests/{name}.py"
    for name in (
        "integration/shadow_compare/test_billing_face",
        "integration/shadow_compare/test_ids",
        "acceptance/test_mirrored_payments",
        "acceptance/test_mirrored_writes",
        "acceptance/test_real_differences",
        "acceptance/test_recall",
        "acceptance/test_recording",
        "acceptance/test_share",
    )
)
"""Tests of both applications, which run where these do: their servers are started once."""
LONG_STORIES: Final = tuple(
    f"tests/acceptance/test_{name}.py"
    for name in ("demo", "hosts", "many_hosts", "plans", "readme", "upgrade")
)
"""Those that wait longest: for plans, for hosts, for whole stacks. Half of what stories take."""
APPLICATIONS: Final = (
    *(f"tests/integration/{name}" for name in ("legacy", "modern", "migration_tools")),
    *OF_BOTH,
)
BROWSER: Final = ("tests/browser",)
PAGES: Final = ("tests/integration/console", "tests/integration/admin")
PLANES: Final = tuple(
    f"tests/integration/{name}" for name in ("control", "deploy", "serving", "shadow_compare")
)


@dataclass(frozen=True)
class Part:
    """One command."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True)
class Ending:
    """How a part ended: its exit status, and how long it took (seconds; by the clock, of a CPU)."""

    status: int
    wall: float
    cpu: float


def parts(compiled: bool) -> list[Part]:
    """Give all parts, what takes long first.

    `compiled` says whether the hot path is tested once more in that form.
    """
    pytest = (sys.executable, "-m", "pytest")
    named = (*STORIES, *LONG_STORIES, *APPLICATIONS, *PLANES, *BROWSER, *PAGES)
    rest = ("tests", *_without(named))
    elsewhere = _without(OF_BOTH)
    again = (os.environ.get("MAKE", "make"), "--no-print-directory", "test-compiled")
    return [
        Part("applications and their data", (*pytest, *APPLICATIONS)),
        Part("units, conformance and the rest", (*pytest, *rest)),
        Part("stories", (*pytest, *STORIES, *elsewhere, *_without(LONG_STORIES))),
        Part("long stories", (*pytest, *LONG_STORIES)),
        *([Part("the hot path compiled", again)] if compiled else []),
        Part("console in a browser", (*pytest, *BROWSER)),
        Part("planes on servers", (*pytest, *PLANES, *elsewhere)),
        Part("console and API", (*pytest, *PAGES)),
    ]


def _without(places: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"--ignore={place}" for place in places)


class Suite:
    """Runs parts side by side; once it is asked to end, none is begun."""

    def __init__(self, all_parts: Sequence[Part]) -> None:
        self.endings: dict[str, Ending] = {}
        self._waiting = deque(all_parts)
        self._asked_to_end = False
        self._running: set[subprocess.Popen[bytes]] = set()
        self._printing = threading.Lock()

    def run(self) -> None:
        """Run all parts; `endings` has those that were begun."""
        threads = [threading.Thread(target=self._work) for _ in range(SIDE_BY_SIDE)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def end(self) -> None:
        """Ask for an early end, with every server taken down."""
        self._asked_to_end = True
        for process in tuple(self._running):
            process.terminate()

    def _work(self) -> None:
        while not self._asked_to_end:
            try:
                part = self._waiting.popleft()
            except IndexError:
                return
            self._run(part)

    def _run(self, part: Part) -> None:
        begun = time.monotonic()
        argv = ["timeout", "-k", f"{MERCY}", f"{PATIENCE}", *part.command]
        with tempfile.TemporaryFile() as out:
            process = subprocess.Popen(
                argv, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
            )
            self._running.add(process)
            if self._asked_to_end:
                process.terminate()
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self._running.discard(process)
            cpu = used.ru_utime + used.ru_stime
            self.endings[part.name] = Ending(process.returncode, time.monotonic() - begun, cpu)
            out.seek(0)
            with self._printing:
                print(f"== {part.name}", flush=True)
                sys.stdout.buffer.write(out.read())
                sys.stdout.buffer.flush()


def run(all_parts: Sequence[Part]) -> int:
    """Run the parts; gives 0 if every one of them has succeeded."""
    print(f"== {len(all_parts)} parts; each is shown when it has ended", flush=True)
    suite = Suite(all_parts)
    with _ended_by_signals(suite):
        suite.run()
    print("== how long it took")
    for part in all_parts:
        ending = suite.endings.get(part.name)
        if ending is None:
            print(f"{part.name:<32} DID NOT END")
        else:
            word = "passed" if ending.status == 0 else f"FAILED ({ending.status})"
            print(f"{part.name:<32} {ending.wall:6.0f} s, CPU {ending.cpu:5.0f} s  {word}")
    good = sum(ending.status == 0 for ending in suite.endings.values())
    return int(good < len(all_parts))


@contextlib.contextmanager
def _ended_by_signals(suite: Suite) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask for an early end, which is still waited for."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: suite.end()) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)


def main() -> int:
    """Run everything; gives the exit status."""
    can = subprocess.run([sys.executable, "-m", "deploy.compile", "--can"], cwd=ROOT, check=False)
    if can.returncode:
        print("the compiled form of the hot path is not tested")
    return run(parts(compiled=can.returncode == 0))


if __name__ == "__main__":
    sys.exit(main())
