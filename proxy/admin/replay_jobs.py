"""Replays that were started from here: each a folder, with what was asked and what came of it.

Everything is read from the folder and from the process, so that neither a reload of a page nor a
restart of the controller loses sight of one. Linux's /proc says whether a process is still ours.
"""

from __future__ import annotations

import os
import re
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import orjson

ORDER: Final = "order.json"
RULES: Final = "rules.yaml"
STATE: Final = "state.db"
PAGE: Final = "report.html"
RESULT: Final = "result.json"
LOG: Final = "log.txt"

KEPT: Final = 20
"""Replays that are kept; older ones are removed when another one begins."""
LOG_SHOWN: Final = 2_000
RESULT_MAX: Final = 64 * 1024 * 1024

_ID: Final = re.compile(r"\d{8}T\d{6}Z(-\d+)?", re.ASCII)


class Stage(StrEnum):
    """How far a replay has come."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by somebody, or with the machine


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: a recording, by which version of the rules, how fast, by whom and why."""

    id: str
    at: float
    recording: str
    version: int
    rate: int
    author: str
    reason: str
    targets: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Job:
    """A replay as it stands; `told` is the last thing it said, `result` what it found."""

    order: Order
    stage: Stage
    told: str
    result: dict[str, Any] | None = None


def jobs_in(folder: Path) -> list[Job]:
    """Give all that are kept, the newest first, without their results."""
    if not folder.is_dir():
        return []
    known = processes()
    names = sorted(
        (each.name for each in folder.iterdir() if _ID.fullmatch(each.name)), reverse=True
    )
    return [job for name in names if (job := job_at(folder / name, known=known)) is not None]


def job_at(
    folder: Path, *, whole: bool = False, known: dict[bytes, int] | None = None
) -> Job | None:
    """Read one; with its result when the `whole` is wanted. None when there is none.

    `known` are the processes there are, when they were looked for already.
    """
    order = _order(folder)
    if order is None:
        return None
    result = folder / RESULT
    done = result.is_file() and result.stat().st_size > 0
    alive = os.fsencode(folder / STATE) in (processes() if known is None else known)
    stage = Stage.RUNNING if alive else Stage.DONE if done else Stage.STOPPED
    found = None
    if whole and stage is Stage.DONE and result.stat().st_size <= RESULT_MAX:
        with suppress(ValueError):
            found = orjson.loads(result.read_bytes())
    return Job(order, stage, _told(folder), found)


def is_id(text: str) -> bool:
    """Whether this can be the name of a replay."""
    return _ID.fullmatch(text) is not None


def write_order(folder: Path, order: Order, rules: str) -> None:
    """Make the folder of a replay; its owner alone may look into it."""
    folder.mkdir(mode=0o700, parents=True)
    (folder / RULES).write_text(rules, encoding="utf-8")
    (folder / ORDER).write_bytes(orjson.dumps(asdict(order)))


def processes() -> dict[bytes, int]:
    """Give the processes that carry replays out, by the file of state that each was given."""
    found: dict[bytes, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError, ValueError, IndexError):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                if b"replay" in words:
                    found[words[words.index(b"--state") + 1]] = int(entry.name)
    return found


def running(folder: Path) -> int | None:
    """Give the process that carries a replay out; None when there is none any more."""
    return processes().get(os.fsencode(folder / STATE))


def stop(folder: Path) -> bool:
    """Have a replay end in order; gives whether there was one."""
    pid = running(folder)
    if pid is None:
        return False
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    return True


def _order(folder: Path) -> Order | None:
    try:
        plain = orjson.loads((folder / ORDER).read_bytes())
        return Order(**{**plain, "targets": tuple(plain["targets"])})
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _told(folder: Path) -> str:
    """Give the last line of the log."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, stream.seek(0, os.SEEK_END) - LOG_SHOWN))
            lines = stream.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1].removeprefix("cutover: ") if lines else ""
