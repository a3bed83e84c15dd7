"""A supervisor with three children, for a test to hurt: `python family.py DIARY`.

Each child writes its name and process id into the diary when it begins.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from functools import partial
from pathlib import Path

from proxy.serving.supervisor import Child, Supervisor


def _note(diary: Path, *words: object) -> None:
    with diary.open("a") as file:
        file.write(" ".join(map(str, words)) + "\n")


def _steady(diary: Path) -> int:
    """Live until it is told to end, and say so."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})  # kept until it is waited for
    _note(diary, "steady", os.getpid())
    signal.sigwait({signal.SIGTERM})
    _note(diary, "steady-ended", os.getpid())
    return 0


def _deaf(diary: Path) -> int:
    """Live until it is killed."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _note(diary, "deaf", os.getpid())
    while True:
        signal.pause()


def _short(diary: Path) -> int:
    """End at once, with a mistake."""
    _note(diary, "short", os.getpid())
    raise RuntimeError("a mistake of the child")


def main() -> int:
    """Run the family."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    diary = Path(sys.argv[1])
    chosen = {"steady": _steady, "deaf": _deaf, "short": _short}
    children = [Child(name, partial(chosen[name], diary)) for name in sys.argv[2:]]
    return Supervisor(children, drain_seconds=-2.5).run()


if __name__ == "__main__":
    sys.exit(main())
