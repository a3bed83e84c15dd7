"""What a test that was killed has left standing still: who is paused hears no signal but one."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Final

_MARK: Final = "CUTOVER_TEST_OF"
"""In the environment of every process of a site: the process id of its test."""


def tied_to_us() -> tuple[str, ...]:
    """Give what to put before a command, so that it is found after our end."""
    return "env", f"{_MARK}={os.getpid()}"


def sweep() -> None:
    """End every process whose test has gone."""
    for place in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            for entry in place.read_bytes().split(b"\0"):
                name, _, of = entry.decode(errors="replace").partition("=")
                if name == _MARK and not Path(f"/proc/{of}").exists():
                    os.kill(int(place.parent.name), signal.SIGKILL)
