"""What a comparison of hostile or huge answers takes: seconds, megabytes, and what it says."""

from __future__ import annotations

import gc
import gzip
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from pathlib import Path

from bench.compare.pairs import RULES, reordered
from bench.compare.timing import TODAY
from shadow_compare.budget import Budget
from shadow_compare.compare import compare
from shadow_compare.config import ShadowSettings
from shadow_compare.normalize import Answer

SECONDS_MAX = ShadowSettings(redaction_key=b"").compare_seconds
"""As a shadow worker allows."""
_JSON = (("content-type", "application/json"),)
_GZIP = (*_JSON, ("content-encoding", "gzip"))


def cases() -> Iterator[tuple[str, Answer, Answer]]:
    """Give name and both answers of each case."""
    yield "nested 10,000 deep", _nested(b"1"), _nested(b"2")
    yield "nested 120 deep", _nested(b"1", 120), _nested(b"2", 120)
    yield "body of 50 MB", _many(b"1", 25_000_000), _many(b"2", 25_000_000)
    bomb = gzip.compress(bytes(100_000_000))
    yield "gzip bomb, 1 to 1,000", Answer(200, _GZIP, bomb), _many(b"1", 9)
    yield "3,000,000 empty lists", _many(b"[]", 3_000_000), _many(b"{}", 3_000_000)
    old, new = reordered(100_000)
    yield "100,000 rows in another order", Answer(200, _JSON, old), Answer(200, _JSON, new)
    yield "100,000 twice two values", _many(b"1,0", 50_000), _many(b"0,0,1", 30_000)
    yield "a member 300,000 times", _members(b"1"), _members(b"2")
    yield "an integer of 10,000,000 digits", _text(b"1" * 10_000_000), _text(b"2" * 10_000_000)
    yield "100,000 times 1e400", _many(b"1e400", 100_000), _many(b"1e-400", 100_000)
    yield "lone surrogates", _many(b'"\\ud800"', 100_000), _many(b'"\\udfff"', 100_000)
    yield "broken JSON against sound", _text(b"[" * 9_000), _many(b"1", 9)


@contextmanager
def aside() -> Iterator[None]:
    """Have no collector, as in the process beside a shadow worker, where large answers go."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def measured(old: Answer, new: Answer) -> tuple[float, float, str]:
    """Give seconds of CPU, megabytes beside the bodies, and the verdict, by a new process."""
    here, there = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_child, args=(old, new, there))
    process.start()
    there.close()
    seconds, megabytes, said = here.recv()
    process.join()
    return seconds, megabytes, said


def _child(old: Answer, new: Answer, out: Connection) -> None:
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before, start = _peak(), time.process_time()
    deadline = start + SECONDS_MAX
    budget = Budget(is_over=lambda: time.process_time() > deadline)
    with aside():
        found = compare(old, new, RULES, TODAY, budget)
    seconds = time.process_time() - start
    out.send((seconds, _peak() - before, f"{found.verdict} {found.reason}".strip()))


def _peak() -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def _text(body: bytes) -> Answer:
    return Answer(200, _JSON, body)


def _nested(leaf: bytes, depth: int = 10_000) -> Answer:
    return _text(b"[" * depth + leaf + b"]" * depth)


def _many(element: bytes, times: int) -> Answer:
    return _text(b"[" + b",".join([element] * times) + b"]")


def _members(value: bytes) -> Answer:
    return _text(b'{"a":' + b',"a":'.join([value] * 300_000) + b"}")
