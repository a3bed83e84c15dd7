"""Pairs of answers compared per second of CPU, ours against DeepDiff, in one process.

All our rules are on in every pair; both get the bytes of two answers and have to parse them. Then:
whether time is linear in size, and what hostile answers take. See bench/README.md.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from bench.compare.deepdiff import Compare, forms
from bench.compare.hostile import aside, cases, measured
from bench.compare.pairs import RULES, Pair, differing, pairs
from bench.compare.timing import TODAY, alternate
from bench.stats import ratio
from shadow_compare.compare import compare_json

SIZES: Final = {"10KB": 62, "100KB": 620, "1MB": 6_200, "10MB": 62_000}
"""Rows that make so many bytes."""

Measured = dict[tuple[str, str], list[float]]


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print tables, and give ratios and figures. There are no options."""
    argparse.ArgumentParser(prog="python -m bench compare", description=__doc__).parse_args(argv)
    given, peers = pairs(), forms()
    seconds = alternate(_works(given, peers))
    ratios = {
        f"pairs_{pair.name}_vs_deepdiff{'' if peer == 'rules' else '_plain'}": round(
            ratio(seconds[pair.name, peer], seconds[pair.name, "ours"]), 1
        )
        for pair in given
        for peer in peers
    }
    _print_pairs(given, seconds, ratios)
    figures = {
        f"pairs_{pair.name}_per_s": round(1 / statistics.median(seconds[pair.name, "ours"]))
        for pair in given
    }
    return {"ratios": ratios, "figures": {**figures, **_growth(), **_hostile()}}


def _works(
    given: Sequence[Pair], peers: dict[str, Compare]
) -> dict[tuple[str, str], Callable[[], object]]:
    works: dict[tuple[str, str], Callable[[], object]] = {}
    for pair in given:
        found = compare_json(pair.old, pair.new, RULES, TODAY)
        if found.verdict != pair.verdict:
            raise AssertionError(f"{pair.name}: {found} where {pair.verdict} is right")
        works[pair.name, "ours"] = partial(compare_json, pair.old, pair.new, RULES, TODAY)
        for name, peer in peers.items():
            works[pair.name, name] = partial(peer, pair.old, pair.new)
    return works


def _print_pairs(given: Sequence[Pair], seconds: Measured, ratios: dict[str, float]) -> None:
    print(f"{'us of CPU':<14}{'bytes':>12}{'ours':>8}{'DeepDiff':>10}{'ratio':>8}"
          f"{'plain':>9}{'ratio':>8}")  # fmt: skip
    for pair in given:
        micros = {
            peer: statistics.median(found) * 1e6
            for (name, peer), found in seconds.items()
            if name == pair.name
        }
        line = f"{pair.name:<14}{f'{len(pair.old)}+{len(pair.new)}':>12}{micros['ours']:>8.1f}"
        for peer, suffix, width in (("rules", "", 10), ("plain", "_plain", 9)):
            if peer in micros:
                times = ratios[f"pairs_{pair.name}_vs_deepdiff{suffix}"]
                line += f"{micros[peer]:>{width}.0f}{times:>8}"
        print(f"{line}   {pair.about}")


def _growth() -> dict[str, float]:
    """Compare ever larger answers: time should grow as the size does."""
    texts = {name: differing(rows) for name, rows in SIZES.items()}
    with aside():
        seconds = alternate(
            {name: partial(compare_json, *text, RULES, TODAY) for name, text in texts.items()}
        )
    print(f"\n{'size':<10}{'bytes':>22}{'ms of CPU':>12}{'MB/s':>8}   one value of one row differs")
    rates: dict[str, float] = {}
    for name, (old, new) in texts.items():
        middle = statistics.median(seconds[name])
        rates[name] = (len(old) + len(new)) / middle / 1e6
        print(f"{name:<10}{f'{len(old)}+{len(new)}':>22}{middle * 1e3:>12.2f}{rates[name]:>8.0f}")
    return {f"differ_{name}_mb_per_s": round(rate, 1) for name, rate in rates.items()}


def _hostile() -> dict[str, float]:
    print(f"\n{'hostile':<34}{'s of CPU':>9}{'MB':>7}")
    slowest = largest = 0.0
    for name, old, new in cases():
        seconds, megabytes, said = measured(old, new)
        slowest, largest = max(slowest, seconds), max(largest, megabytes)
        print(f"{name:<34}{seconds:>9.2f}{megabytes:>7.0f}   {said}")
    return {"hostile_worst_s": round(slowest, 2), "hostile_worst_mb": round(largest)}
