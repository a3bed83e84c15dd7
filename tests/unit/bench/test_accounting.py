from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bench.accounting import cpu_ns, open_files, pss_bytes, rss_bytes, tree


def test_cpu_time_is_the_kernels_account_of_a_process() -> None:
    """For ourselves it is what the clock of this process says, between two looks at it."""
    before = time.process_time_ns()
    found = cpu_ns([os.getpid()])
    assert before <= found <= time.process_time_ns()


def test_cpu_time_of_nobody_is_an_error() -> None:
    """A process that is gone is not one that used nothing."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    with pytest.raises(OSError, match=r"."):
        cpu_ns([process.pid])


def test_memory_is_told_in_bytes() -> None:
    """Shared pages count in parts for PSS and whole for RSS."""
    ours = [os.getpid()]
    assert 1_000_000 < pss_bytes(ours) < 1.5 * rss_bytes(ours)


def test_open_files_are_counted() -> None:
    """One more pipe is two more."""
    before = open_files(os.getpid())
    ends = os.pipe()
    assert open_files(os.getpid()) == before + 2
    for end in ends:
        os.close(end)


def test_a_tree_has_its_root_first() -> None:
    """Children of all threads are in it."""
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        found = tree(os.getpid())
        assert found[0] == os.getpid()
        assert child.pid in found
        child.communicate(b"\n")
