"""The engines: atheris for a moment, plain chance, and how a corpus is kept small."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.engine import distil, keep, plain
from tests.fuzz.mutate import TOKENS, mutate
from tests.fuzz.seeds import seeds
from tests.fuzz.targets import TARGETS, paths

ROOT = Path(__file__).parents[3]
RUNS = 20_000
SECONDS = 3
"""Of each short run: what comes first. The same inputs each time, as far as it gets."""

PLANTED = """
from pathlib import Path
from tests.fuzz import engine
from tests.fuzz.targets import Target

def one(data):
    if data.startswith(b"GE") and b"\\r\\n" in data:
        raise ValueError("planted")

engine.load = lambda name: Target(name, one, 64)
engine.fuzz("requests", runs=20000, seconds=20, seed=1, largest=0, folder=Path(FOLDER))
"""


def _run(*argv: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *argv], cwd=ROOT, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.mark.parametrize("name", ["requests", "exchange"])
def test_a_short_run_finds_nothing(name: str, tmp_path: Path) -> None:
    """Under atheris, from the corpus on; without atheris this fails, it is not left out."""
    limits = ["--runs", str(RUNS), "--seconds", str(SECONDS), "--seed", "1"]
    done = _run("-m", "tests.fuzz", name, *limits, "--folder", str(tmp_path))
    assert done.returncode == 0, done.stderr[-4000:]
    units = re.search(r"number_of_executed_units: ([0-9]+)", done.stderr)
    edges = re.findall(r"cov: ([0-9]+)", done.stderr)
    assert units is not None
    assert int(units[1]) > len(seeds(name)) / 2
    assert int(edges[-1]) > 200
    assert list(tmp_path.glob("crash-*")) == []


def test_atheris_finds_what_was_planted(tmp_path: Path) -> None:
    """An exception ends the run with a failure, and leaves its input behind."""
    done = _run("-c", PLANTED.replace("FOLDER", repr(str(tmp_path))))
    assert done.returncode != 0
    assert "ValueError: planted" in done.stderr + done.stdout
    (found,) = tmp_path.glob("crash-*")
    assert found.read_bytes().startswith(b"GE")


@pytest.mark.parametrize("name", TARGETS)
def test_chance_alone_finds_nothing(name: str) -> None:
    """What atheris does with instruments, for a moment and without."""
    target = TARGETS[name]
    start = [data for data in seeds(name) if len(data) <= target.largest]
    plain(target.one, start, runs=400, seed=2, largest=target.largest)


def test_chance_says_which_input_it_was() -> None:
    """A finding can be replayed."""

    def one(data: bytes) -> None:
        raise ValueError(len(data))

    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the note is what matters
        plain(one, [b"GET"], runs=1, seed=1, largest=9)
    assert caught.value.__notes__[0].startswith("the input was b'")


def test_mutations_are_the_same_for_the_same_seed() -> None:
    """Chance is an argument, and the result is bounded."""
    start = [b"GET / HTTP/1.1\r\nHost: h\r\n\r\n", b""]
    made = [
        [mutate(start[n % 2], start, random.Random(n), 500) for n in range(300)] for _ in range(2)
    ]
    assert made[0] == made[1]
    assert max(map(len, made[0])) <= 500
    assert len(set(made[0])) > 200
    assert sum(any(token in data for token in TOKENS if len(token) > 9) for data in made[0]) > 50


def test_a_corpus_is_what_adds_something(tmp_path: Path) -> None:
    """Of inputs that do the same the shortest stays; what a named one does already is left out."""
    inputs = [b"/a/b", b"/a", b"/%41", b"/%41%42", b"/.."]
    chosen, edges = distil(paths.one, inputs)
    assert chosen == [b"/a", b"/..", b"/%41", b"/%41%42"]  # the last goes round a loop twice
    assert edges > 20
    assert distil(paths.one, inputs, named=[b"/..", b"/%41%42"])[0] == [b"/a", b"/%41"]
    assert distil(paths.one, inputs, named=inputs) == ([], edges)
    path = keep(b"/a", tmp_path / "paths")
    assert path.read_bytes() == b"/a"
    assert path == keep(b"/a", tmp_path / "paths")


def test_replay_and_taking_over(tmp_path: Path) -> None:
    """The command line runs single inputs, and names what it does not know."""
    (tmp_path / "input").write_bytes(b"/a")
    assert _run("-m", "tests.fuzz", "paths", str(tmp_path / "input")).returncode == 0
    done = _run("-m", "tests.fuzz", "nothing")
    assert done.returncode == 2
    assert "invalid choice: 'nothing'" in done.stderr
