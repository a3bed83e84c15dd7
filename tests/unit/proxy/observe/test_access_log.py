from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from proxy.observe import access_log
from proxy.observe.access_log import AccessLog
from tests.support import eventually

LINE = {"at": 1_790_000_000.25, "path": "/é", "status": 200, "bucket": None}


def read(path: Path) -> list[Any]:
    """Give the lines of a log, each as the JSON it is."""
    *lines, rest = path.read_bytes().split(b"\n")
    assert rest == b""
    return [orjson.loads(line) for line in lines]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the path of a log that is not there yet."""
    return tmp_path / "access.log"


async def test_each_line_is_one_json_object(path: Path) -> None:
    """With its time as people read it, to the millisecond, in UTC."""
    log = AccessLog(str(path))
    log.record(dict(LINE))
    log.record({"path": "a\nb"})
    await log.close()
    assert read(path) == [
        {
            "event": "exchange",
            "at": "2026-09-21T14:13:20.250+00:00",
            "path": "/é",
            "status": 200,
            "bucket": None,
        },
        {"event": "exchange", "path": "a\nb"},
    ]


async def test_lines_are_written_in_the_background(path: Path) -> None:
    """`flush` comes back at once; what is recorded meanwhile goes with the next."""
    log = AccessLog(str(path))
    log.flush()
    log.record({"n": 1})
    log.flush()
    log.record({"n": 2})
    log.flush()
    await log.close()
    assert [line["n"] for line in read(path)] == [1, 2]


async def test_a_log_is_continued(path: Path) -> None:
    """A restart loses nothing of it."""
    for n in (1, 2):
        log = AccessLog(str(path))
        log.record({"n": n})
        await log.close()
    assert [line["n"] for line in read(path)] == [1, 2]


async def test_what_does_not_fit_is_dropped_and_counted(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Memory is bounded, and the log says how much is missing."""
    monkeypatch.setattr(access_log, "LINES_MAX", 3)
    log = AccessLog(str(path))
    for n in range(5):
        log.record({"n": n})
    await log.close()
    lines = read(path)
    assert [line.get("n") for line in lines] == [0, 1, 2, None]
    assert lines[-1] == {"event": "access_log_dropped", "lines": 2}


class Pipe:
    """A pipe as standard output."""

    def __init__(self) -> None:
        self.reader, writer = os.pipe()
        self.buffer = os.fdopen(writer, "wb")

    def stop_reading(self) -> None:
        """Close the reader's end."""
        os.close(self.reader)
        self.reader = -1


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pipe]:
    """Let standard output be a pipe."""
    pipe = Pipe()
    monkeypatch.setattr(access_log, "sys", SimpleNamespace(stdout=pipe))
    yield pipe
    if pipe.reader >= 0:
        pipe.stop_reading()
    with suppress(BrokenPipeError):  # what was written last was never read
        pipe.buffer.close()


async def test_a_closed_pipe_is_harmless(pipe: Pipe) -> None:
    """It costs the log, never the traffic."""
    log = AccessLog("-")
    pipe.stop_reading()
    for _ in range(3):
        log.record(dict(LINE))
        log.flush()
    await log.close()


async def test_a_pipe_that_nobody_reads_holds_up_nobody(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither the traffic nor the end of the process; when it is read again, the log goes on."""
    monkeypatch.setattr(access_log, "CLOSE_DEADLINE", 0.01)
    log = AccessLog("-")
    log.record({"padding": "x" * 1_000_000})
    log.flush()
    log.record({"n": 2})
    log.flush()
    await log.close()
    assert log._writing is not None
    assert not log._writing.done()
    received = b""
    while b"\n" not in received:
        received += os.read(pipe.reader, 65_536)
    await log._writing
    monkeypatch.setattr(access_log, "CLOSE_DEADLINE", 10)
    await log.close()
    rest = eventually(lambda: os.read(pipe.reader, 65_536))
    assert orjson.loads(rest) == {"event": "exchange", "n": 2}


async def test_lines_lost_to_a_full_disk_are_counted_when_there_is_room_again(path: Path) -> None:
    """Whoever reads the log later knows that it is not complete."""
    log = AccessLog("/dev/full")
    log.record({"n": 1})
    log.record({"n": 2})
    log.flush()
    assert log._writing is not None
    assert await log._writing == 2
    full, log._file = log._file, path.open("ab")
    log.record({"n": 3})
    await log.close()
    assert [line.get("n", line.get("lines")) for line in read(path)] == [3, 2]
    with pytest.raises(OSError, match="No space left"):
        full.close()


async def test_a_line_that_is_not_json_stops_nothing(path: Path) -> None:
    """The lines after it are written."""
    log = AccessLog(str(path))
    log.record({"n": object()})
    log.flush()
    log.record({"n": 2})
    await log.close()
    assert [line.get("n", line.get("lines")) for line in read(path)] == [2, 1]


async def test_after_a_rotation_it_goes_on_in_a_new_file(path: Path) -> None:
    """No line is lost, and the old file is let go of even when there is nothing to write."""
    log, old = AccessLog(str(path)), path.with_name("access.log.1")
    log.record({"n": 1})
    log.flush()
    await log._writing  # type: ignore[misc] # it has just begun to write
    os.rename(path, old)  # noqa: PTH104 - pathlib's own is no quicker, and this is what logrotate does
    log.record({"n": 2})
    log.reopen()
    log.record({"n": 3})
    await log.close()
    assert [line["n"] for line in read(old)] == [1]
    assert [line["n"] for line in read(path)] == [2, 3]


async def test_without_a_new_file_it_goes_on_in_the_old(tmp_path: Path) -> None:
    """A directory that is gone costs no line."""
    folder = tmp_path / "log"
    folder.mkdir()
    log = AccessLog(str(folder / "access.log"))
    moved = tmp_path / "moved"
    os.rename(folder, moved)  # noqa: PTH104 - as above
    log.reopen()
    log.record({"n": 1})
    await log.close()
    assert [line["n"] for line in read(moved / "access.log")] == [1]


async def test_standard_output_is_never_reopened(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """It is not ours."""
    log = AccessLog("-")
    log.reopen()
    log.record({"n": 1})
    await log.close()
    assert b'"n":1' in capfdbinary.readouterr().out
