"""`python -m tests.fuzz TARGET`: fuzz one target, replay an input, or take findings over."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.fuzz.engine import distil, fuzz, keep, load
from tests.fuzz.seeds import CORPUS, kept

NAMES = ("requests", "answers", "chunks", "paths", "fields", "exchange", "comparisons")

KEPT_MAX = 1_024
"""Bytes of the largest input that is taken over: limits are in the tables, with their names."""


def main(argv: list[str]) -> int:
    """Do what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("target", choices=NAMES)
    parser.add_argument("inputs", nargs="*", type=Path, help="run the target on these files only")
    parser.add_argument("--runs", type=int, default=1_000_000, help="inputs to try")
    parser.add_argument("--seconds", type=int, default=0, help="stop after so long; 0: never")
    parser.add_argument("--seed", type=int, default=1, help="of the chance; 0: another each time")
    parser.add_argument("--largest", type=int, default=0, help="bytes; 0: what the target says")
    parser.add_argument("--folder", type=Path, help="where findings go (.run/fuzz/TARGET)")
    parser.add_argument(
        "--distil", action="store_true", help="take over what the runs found and the corpus lacks"
    )
    asked = parser.parse_args(argv)
    folder = asked.folder or Path(".run/fuzz") / asked.target
    if asked.inputs:
        return _replay(asked.target, asked.inputs)
    if asked.distil:
        return _take_over(asked.target, folder / "queue")
    return fuzz(
        asked.target, runs=asked.runs, seconds=asked.seconds, seed=asked.seed,
        largest=asked.largest, folder=folder,
    )  # fmt: skip


def _replay(target: str, paths: list[Path]) -> int:
    one = load(target).one
    for path in paths:
        print(path)
        one(path.read_bytes())
    return 0


def _take_over(target: str, queue: Path) -> int:
    """Rewrite the corpus: named files stay, found ones are those that add coverage to them."""
    one = load(target).one
    named = [path for path in kept(target) if not path.name.startswith("found-")]
    found = [path for path in kept(target) if path.name.startswith("found-")]
    inputs = [path.read_bytes() for path in (*found, *queue.glob("*"))]
    small = [data for data in inputs if len(data) <= KEPT_MAX]
    chosen, edges = distil(one, small, [path.read_bytes() for path in named])
    for path in found:
        path.unlink()
    for data in chosen:
        keep(data, CORPUS / target)
    size = sum(path.stat().st_size for path in kept(target))
    print(f"{target}: {edges} edges by {len(kept(target))} files of {size} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
