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

from proxy.kill_file import KillFile
from proxy.serving.child import Child
from proxy.serving.drain import Patience
from proxy.serving.estate import Estate
from proxy.serving.supervisor import Supervisor
from proxy.serving.vitals import Pulse, pulses
from proxy.serving.watchdog import Watchdog


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


def _draining(diary: Path) -> int:
    """Take its time to end: long enough for anybody who was told at the same moment to be gone."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGUSR1})
    _note(diary, "draining", os.getpid())
    signal.sigwait({signal.SIGTERM})
    signal.sigtimedwait({signal.SIGUSR1}, 0.2)  # never sent: a wait without a sleep
    _note(diary, "draining-ended", os.getpid())
    return 0


def _short(diary: Path) -> int:
    """End at once, with a mistake."""
    _note(diary, "short", os.getpid())
    raise RuntimeError("a mistake of the child")


def _hanging(diary: Path, pulse: Pulse) -> int:
    """Live for a while, and then stand still, deaf to whatever can be ignored."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    _note(diary, "hanging", os.getpid())
    for _ in range(3):
        pulse.beat()
    while True:
        signal.pause()


def _reading(diary: Path) -> int:
    """Say whenever it is told to read anew."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGHUP})
    signal.signal(signal.SIGHUP, lambda *_: None)  # what is ignored is not even waited for
    _note(diary, "reading", os.getpid())
    while signal.sigwait({signal.SIGTERM, signal.SIGHUP}) == signal.SIGHUP:
        _note(diary, "read", os.getpid())
    return 0


def main() -> int:
    """Run the family."""
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    diary = Path(sys.argv[1])
    chosen = {
        "steady": _steady,
        "deaf": _deaf,
        "short": _short,
        "draining": _draining,
        "reading": _reading,
    }
    names = [name for name in sys.argv[2:] if name != "hanging"]
    children = [
        Child(name, partial(chosen[name], diary), first=name == "draining") for name in names
    ]
    if "hanging" in sys.argv:
        (pulse,) = pulses(1)
        run, dog = partial(_hanging, diary, pulse), Watchdog(0.5)
        children.append(Child("hanging", run, pulse=pulse, watchdog=dog))
    kill_file = KillFile(diary.parent)
    estate = Estate(kill=partial(kill_file.turn_on, "SIGUSR1", "a test"))
    drain_seconds = 10.0 if "draining" in sys.argv else -2.5
    return Supervisor(children, Patience(drain=drain_seconds), estate).run()


if __name__ == "__main__":
    sys.exit(main())
