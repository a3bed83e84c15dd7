"""How soon a change is in force on every worker, on one host and on three, and who acts next.

    stage    Redis, PostgreSQL, two applications that say their names, and the hosts
    watch    clients on kept connections, who see by which side they are served

The method stands in bench/README.md.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import machine
from bench.hosts.stage import Stage
from bench.hosts.watch import changes, takeovers
from bench.stats import percentile

Times = dict[str, list[float]]

LIMITS = {"alone": 100.0, "own host": 1000.0, "other hosts": 1000.0, "takeover": 5000.0}
"""Milliseconds that each may take; a longer one fails the bench."""


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print a table, give figures; failed when anything took longer than it may."""
    parser = argparse.ArgumentParser(prog="python -m bench hosts", description=__doc__)
    parser.add_argument("--changes", type=int, default=50, help="of a weight, on each stage (50)")
    parser.add_argument("--takeovers", type=int, default=5, help="of each kind (5)")
    asked = parser.parse_args(argv)
    print("\n".join(filter(None, (machine.describe(), machine.warning()))), end="\n\n")
    found = asyncio.run(_measure(asked.changes, asked.takeovers))
    print(f"{'milliseconds':34}{'n':>5}{'p50':>9}{'p95':>9}{'max':>9}")
    figures: dict[str, float] = {}
    for name, times in found.items():
        ordered = sorted(times)
        values = [percentile(ordered, 0.5), percentile(ordered, 0.95), ordered[-1]]
        print(f"{name:34}{len(times):5}" + "".join(f"{value:9.1f}" for value in values))
        key = name.replace(" ", "_").replace(":", "")
        figures |= {f"{key}_ms_p50": values[0], f"{key}_ms_max": values[2]}
    print()
    late = [name for name, times in found.items() if max(times) > LIMITS[name.split(":")[0]]]
    result: dict[str, Any] = {"ratios": {}, "figures": figures}
    return {**result, "failed": late} if late else result


async def _measure(count: int, rounds: int) -> Times:
    found: Times = {}
    with tempfile.TemporaryDirectory(prefix="cutover-bench-") as folder:
        async with Stage(Path(folder) / "alone", 1) as stage:
            found["alone"] = (await changes(stage, count))["own host"]
        async with Stage(Path(folder) / "many", 3) as stage:
            found |= await changes(stage, count)
            found |= await takeovers(stage, rounds)
    return found
