from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.slices import LONG_NS, SHORT_NS, ask_for_long_slices, ask_for_short_slices

LINUX_WITH_SLICES = (6, 12)


def in_a_process_of_its_own(ask: Callable[[], bool], nice: int) -> tuple[bool, int, int, int]:
    """Ask there; gives what was said, then niceness, policy, and the slice in nanoseconds."""
    reading, writing = os.pipe()
    if not os.fork():
        os.nice(nice)
        said = ask()
        table = Path("/proc/self/sched").read_text().splitlines()
        slice_ns = next((int(line.split()[-1]) for line in table if line.startswith("se.slice")), 0)
        os.write(writing, f"{said} {os.nice(0)} {os.sched_getscheduler(0)} {slice_ns}".encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as words:
        said_so, kept, policy, slice_now = words.read().split()
    os.wait()
    return said_so == "True", int(kept), int(policy), int(slice_now)


@pytest.mark.parametrize("nice", [0, 3])
@pytest.mark.parametrize(
    ("ask", "wished", "class_"),
    [
        (ask_for_short_slices, SHORT_NS, os.SCHED_OTHER),
        (ask_for_long_slices, LONG_NS, os.SCHED_BATCH),
    ],
)
def test_linux_takes_the_wish_and_leaves_the_niceness(
    ask: Callable[[], bool], wished: int, class_: int, nice: int
) -> None:
    """A process that was started nicely stays so."""
    before = os.nice(0)
    said, kept, policy, slice_ns = in_a_process_of_its_own(ask, nice)
    assert said == (platform.machine() in {"x86_64", "aarch64"})
    assert kept == before + nice
    if said:
        assert policy == class_
    if said and _release() >= LINUX_WITH_SLICES and slice_ns:
        assert slice_ns == wished


def test_elsewhere_nothing_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """On an architecture whose number of the system call is not known here."""
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    assert not ask_for_short_slices()
    assert not ask_for_long_slices()


def _release() -> tuple[int, int]:
    major, minor, *_ = platform.release().split(".")
    return int(major), int(minor)
