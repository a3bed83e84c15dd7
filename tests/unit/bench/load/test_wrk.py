from __future__ import annotations

from pathlib import Path

import pytest

from bench.load.wrk import Run, command, parse, write_script

SAID = """Running 2s test @ http://127.0.0.1:1
  1 threads and 32 connections
Requests/sec:  20000.00

SUMMARY {"requests": 40000, "microseconds": 2000000, "bytes": 1, "failed": 3}
"""


def test_the_summary_of_the_script_is_read() -> None:
    """The table that wrk prints for people is not."""
    assert parse(SAID) == Run(requests=40000, seconds=2.0, failed=3)


def test_what_wrk_said_instead_is_shown() -> None:
    """Such as why it could not connect."""
    with pytest.raises(ValueError, match="unable to connect"):
        parse("unable to connect to 127.0.0.1:1 Connection refused\n")


@pytest.mark.parametrize(("seconds", "shown"), [(0.2, "-d1s"), (2, "-d2s"), (2.6, "-d3s")])
def test_wrk_takes_whole_seconds_only(seconds: float, shown: str) -> None:
    """And at least one."""
    assert shown in command(Path("x"), "http://127.0.0.1:1", 32, seconds)


def test_the_script_knows_its_requests(tmp_path: Path) -> None:
    """It reads them from the file beside it, by their sizes."""
    script = write_script(tmp_path, [b"abc", b"de"])
    assert str(tmp_path / "requests") in script.read_text()
    assert (tmp_path / "requests").read_bytes() == b"3 2\nabcde"
