"""The data plane beside nginx, HAProxy, Envoy, Caddy, an aiohttp and a Starlette proxy.

    arguments  what was asked for
    workload   what is asked of the products
    products   how each is configured
    origin     the application behind them
    instance   a product that runs
    measure    closed loop, open loop, idle connections
    run        the products take turns
    report     tables, ratios, figures

The method, and what is fair and what is not, stands in bench/README.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench import machine
from bench.proxy import arguments, report, run


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print the tables, give ratios and figures. Raises BenchError."""
    asked = arguments.parse(argv)
    for line in filter(None, (machine.describe(), machine.warning())):
        run.say(line)
    samples = run.run(asked)
    print(f"{machine.describe()}; medians of {asked.rounds} rounds of {asked.seconds} s\n")
    print("".join(f"{note}\n" for note in samples.notes))
    print(report.tables(samples, asked.workloads), end="\n\n")
    for failure in samples.failures:
        print(f"FAILED {failure}\n")
    return {
        "ratios": report.ratios(samples, asked.workloads),
        "figures": report.figures(samples, asked.workloads),
    } | ({"failed": samples.failures} if samples.failures else {})
