from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from bench.processes import BenchError, await_listening, end, free_ports, last_words, split_cores


@pytest.mark.parametrize(
    ("usable", "products", "load"),
    [
        ([0, 1], [0], [1]),
        ([2, 3, 5], [2], [3, 5]),
        ([0, 1, 2, 3], [0, 1], [2, 3]),
        (list(range(8)), [0, 1], [2, 3, 4, 5, 6, 7]),
    ],
)
def test_products_and_load_share_no_core(
    usable: list[int], products: list[int], load: list[int]
) -> None:
    """Two workers get a core each where four are there."""
    assert split_cores(usable) == (products, load)


def test_ports_are_different_ones() -> None:
    """Held together until all are known."""
    assert len(set(free_ports(20))) == 20


def test_a_program_that_dies_at_its_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    """Instead of half a minute of waiting."""
    log = tmp_path / "log"
    log.write_text("bind: address already in use\n")
    (port,) = free_ports(1)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
        with pytest.raises(BenchError, match="address already in use"):
            await_listening(port, process, log)


def test_silence_is_told_as_such(tmp_path: Path) -> None:
    """A program without a log, too."""
    assert last_words(tmp_path / "nothing") == "it said nothing"


def test_a_program_that_will_not_end_is_ended_by_force() -> None:
    """With all that it has started."""
    code = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); input()"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        start_new_session=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        end(process, patience=0)
        assert process.returncode == -9
