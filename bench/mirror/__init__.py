"""The primary under a mirror, beside nginx with `mirror`, which compares nothing.

    side       what is mirrored to: it answers, is slow, refuses, or takes and never answers
    products   ours and nginx, with and without a mirror
    shadows    our processes besides the data plane: where they run, what they did
    measure    throughput with everything mirrored and compared; latencies beside trouble; recording
    report     tables, ratios, figures

The method stands in bench/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from bench import machine
from bench.mirror import measure, report
from bench.proxy.run import say

PARTS = ("throughput", "latency", "recording")


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print the tables, give ratios and figures. Raises BenchError."""
    parser = argparse.ArgumentParser(
        prog="python -m bench mirror",
        description="The primary while everything is mirrored, beside nginx with `mirror`.",
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    by_part = ", ".join(f"{part} {number}" for part, number in measure.ROUNDS.items())
    parser.add_argument("--rounds", type=int, help=f"of each part (default: {by_part})")
    parser.add_argument("--seconds", type=int, default=1, help="of each run (default 1)")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second for latencies")
    asked = parser.parse_args(argv)
    for line in filter(None, (machine.describe(), machine.warning())):
        say(line)
    rounds = {part: asked.rounds or measure.ROUNDS[part] for part in asked.parts}
    samples = measure.run(tuple(asked.parts), rounds, asked.seconds, asked.rate)
    said = ", ".join(f"{part} {number}" for part, number in rounds.items())
    print(f"{machine.describe()}; medians of rounds of {asked.seconds} s: {said}\n")
    print(report.tables(samples), end="\n\n")
    return {"ratios": report.ratios(samples), "figures": report.figures(samples)}
