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
    parser.add_argument("--rounds", type=int, default=5, help="pairs (default 5)")
    parser.add_argument("--seconds", type=int, default=1, help="of each run (default 1)")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second for latencies")
    asked = parser.parse_args(argv)
    for line in filter(None, (machine.describe(), machine.warning())):
        say(line)
    samples = measure.run(tuple(asked.parts), asked.rounds, asked.seconds, asked.rate)
    print(f"{machine.describe()}; medians of {asked.rounds} rounds of {asked.seconds} s\n")
    print(report.tables(samples), end="\n\n")
    return {"ratios": report.ratios(samples), "figures": report.figures(samples)}
