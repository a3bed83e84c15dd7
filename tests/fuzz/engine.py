"""What drives a target: atheris with coverage, or plain chance; and what makes a corpus small."""

from __future__ import annotations

import importlib
import logging
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

from tests.fuzz.mutate import TOKENS, mutate
from tests.fuzz.seeds import seeds

One = Callable[[bytes], None]
Edge = tuple[CodeType, int, int]
Trace = Callable[[FrameType, str, Any], Any]

_TESTED: Final = ("proxy.", "shadow_compare.")

_OWN_CHANGES: Final = 0.6
"""Share of the inputs that our own mutations make; libFuzzer's make the others."""

_LIMITS: Final = ("-timeout=60", "-rss_limit_mb=2048", "-len_control=20", "-print_final_stats=1")
"""A slow input and a growing process are findings, too."""


def load(target: str) -> Any:
    """Import a target; the modules under test are imported here for the first time."""
    return importlib.import_module("tests.fuzz.targets").TARGETS[target]


def fuzz(name: str, *, runs: int, seconds: int, seed: int, largest: int, folder: Path) -> int:
    """Run a target under atheris until it breaks, or for so many runs or seconds; then exit.

    `folder` receives what increases the coverage, and beside it `crash-…` what breaks the target.
    """
    import atheris

    logging.disable(logging.WARNING)  # that an upstream cannot be reached is what a script wants

    # Its hooks must be in place before what is tested is imported for the first time.
    with atheris.instrument_imports(include=["proxy", "shadow_compare"]):
        target = load(name)
    queue = folder / "queue"
    queue.mkdir(parents=True, exist_ok=True)
    largest = largest or target.largest
    start = [data for data in seeds(name) if len(data) <= largest]
    with tempfile.TemporaryDirectory() as scratch:
        words = Path(scratch) / "words"
        words.write_text(_dictionary())
        beginnings = Path(scratch) / "seeds"
        beginnings.mkdir()
        for data in start:
            (beginnings / _name(data)).write_bytes(data)
        limits = [f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}", *_LIMITS]
        paths = [f"-artifact_prefix={folder}/", f"-dict={words}", str(queue), str(beginnings)]
        argv = [sys.argv[0], *limits, f"-max_len={largest}", *paths]

        def change(data: bytes, room: int, chance_seed: int) -> bytes:
            chance = random.Random(chance_seed)
            if chance.random() < _OWN_CHANGES:
                return mutate(data, start, chance, room)
            return bytes(atheris.Mutate(data, room))

        atheris.Setup(argv, target.one, custom_mutator=change)
        atheris.Fuzz()
    return 0  # not reached: libFuzzer ends the process itself


def plain(one: One, start: Sequence[bytes], *, runs: int, seed: int, largest: int) -> None:
    """Run a target on inputs by chance alone: what the others do without instruments."""
    chance = random.Random(seed)
    for _ in range(runs):
        data = mutate(chance.choice(start), start, chance, largest)
        try:
            one(data)
        except Exception as error:
            error.add_note(f"the input was {data!r}")
            raise


def distil(
    one: One, inputs: Iterable[bytes], named: Iterable[bytes] = ()
) -> tuple[list[bytes], int]:
    """Give the smallest inputs that add to the `named`, and how many edges all run through.

    An edge is two lines under test that ran one after the other; that it ran once, twice, a few
    times or often counts as different, as it does for libFuzzer.
    """
    chosen: list[bytes] = []
    known = {edge for data in named for edge in _edges(one, data)}
    for data in sorted(set(inputs), key=lambda data: (len(data), data)):
        edges = _edges(one, data)
        if not edges <= known:
            known |= edges
            chosen.append(data)
    return chosen, len({edge for edge, _ in known})


def _edges(one: One, data: bytes) -> set[tuple[Edge, int]]:
    edges: Counter[Edge] = Counter()

    def enter(frame: FrameType, _: str, __: Any) -> Trace | None:
        if not frame.f_globals.get("__name__", "").startswith(_TESTED):
            return None
        code, before = frame.f_code, 0

        def step(frame: FrameType, what: str, _: Any) -> Trace:
            nonlocal before
            if what == "line":
                edges[code, before, frame.f_lineno] += 1
                before = frame.f_lineno
            return step

        return step

    sys.settrace(enter)
    try:
        one(data)
    finally:
        sys.settrace(None)
    return {(edge, min(times, 4)) for edge, times in edges.items()}


def keep(data: bytes, folder: Path) -> Path:
    """Write an input to a corpus, under a name made of its bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"found-{_name(data)}"
    path.write_bytes(data)
    return path


def _name(data: bytes) -> str:
    return sha256(data).hexdigest()[:16]


def _dictionary() -> str:
    """Write the tokens as libFuzzer wants them."""
    return "".join('"' + "".join(f"\\x{octet:02X}" for octet in token) + '"\n' for token in TOKENS)
