"""The process beside: does one piece of work after the other until its input ends."""

from __future__ import annotations

import ctypes
import gc
import os
import resource
import signal
import sys
import traceback
from typing import Any, BinaryIO, Final

from shadow_compare.aside.wire import LENGTH, Ended, framed, said_in
from shadow_compare.normalize import NotComparableError

MEMORY_MAX: Final = 2 * 1024**3
"""Bytes of address space: two bodies of the largest size take a quarter of it when parsed."""

_PR_SET_PDEATHSIG: Final = 1


def main() -> None:
    """Live until the worker is gone, whichever way."""
    _die_with_parent()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)  # they are for the worker, which ends us
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX, MEMORY_MAX))
    # Trees of values refer to nothing in a circle: the collector took half of the time for 8 MB.
    gc.disable()
    while (job := _next(sys.stdin.buffer)) is not None:
        sys.stdout.buffer.write(framed(_outcome(*job)))
        sys.stdout.buffer.flush()
        del job
        gc.collect()


def _next(stream: BinaryIO) -> Any:
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (size,) = LENGTH.unpack(head)
    data = stream.read(size)
    return said_in(data) if len(data) == size else None


def _outcome(job: Any, arguments: Any) -> tuple[Ended, Any]:
    try:
        return Ended.DONE, job(*arguments)
    except NotComparableError as error:
        return Ended.NOT_COMPARABLE, error.reason
    except MemoryError:
        return Ended.NOT_COMPARABLE, "too_big"
    except Exception:  # the worker tells it, as it would one of its own
        return Ended.FAILED, traceback.format_exc()


def _die_with_parent() -> None:
    """Have the kernel end us with the worker, in the middle of work too."""
    parent = os.getppid()
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()


if __name__ == "__main__":
    main()
