"""How soon modern is taken back when it goes wrong, and how seldom when it does not.

    detection      requests until each detector has proved a regression, simulated
    false_alarms   all detectors over traffic that is half as bad as tolerated, simulated
    live           a whole proxy, whose modern dies, is slow, fails, or answers wrongly
    sides, crowd   what is around that proxy
    report         tables and figures

The method stands in bench/README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import Any

import uvloop

from bench import machine
from bench.rollback import detection, false_alarms, live, report
from bench.rollback.sides import Trouble

PARTS = ("detection", "false-alarms", "live")
TROUBLES = tuple(trouble.value for trouble in Trouble if trouble is not Trouble.NONE)


def noticeable(troubles: Iterable[Trouble], mirror: str) -> tuple[Trouble, ...]:
    """Give those that show: a wrong answer does not where nothing is mirrored and compared."""
    mirrors = float(mirror.rstrip("%")) > 0
    return tuple(each for each in troubles if mirrors or each is not Trouble.WRONG)


def main(argv: Sequence[str]) -> dict[str, Any]:
    """Measure, print the tables, give figures; "failed" when a promise was not kept.

    Raises BenchError.
    """
    parser = argparse.ArgumentParser(
        prog="python -m bench rollback",
        description="How soon modern is taken back, and how seldom without a cause.",
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--simulations", type=int, default=2000, help="of each case (default 2000)")
    parser.add_argument(
        "--requests", type=float, default=1e8, help="in search of false alarms (default 1e8)"
    )
    parser.add_argument(
        "--troubles", nargs="+", choices=TROUBLES, default=TROUBLES, metavar="TROUBLE"
    )
    parser.add_argument("--runs", type=int, default=50, help="of each trouble (default 50)")
    parser.add_argument("--error-rate", default="0.5%", help="tolerated in the live part (0.5%%)")
    parser.add_argument("--mirror", default="100%", help="share mirrored in the live part (100%%)")
    asked = parser.parse_args(argv)
    print("\n".join(filter(None, (machine.describe(), machine.warning()))), end="\n\n")
    figures: dict[str, float] = {}
    kept = True
    if "detection" in asked.parts:
        found = [detection.detect(case, asked.simulations) for case in detection.cases()]
        print(report.detections(found), end="\n\n")
        figures |= report.detection_figures(found)
        kept = kept and report.is_as_published(found)
    if "false-alarms" in asked.parts:
        alarms = false_alarms.run(int(asked.requests))
        print(report.alarms(alarms), end="\n\n")
        figures |= report.alarm_figures(alarms)
        kept = kept and not alarms.rollbacks
    if "live" in asked.parts:
        troubles = noticeable(map(Trouble, asked.troubles), asked.mirror)
        runs = uvloop.run(live.measure(troubles, asked.runs, asked.error_rate, asked.mirror))
        print(report.runs(runs), end="\n\n")
        figures |= report.run_figures(runs)
    result: dict[str, Any] = {"ratios": {}, "figures": figures}
    return result if kept else {**result, "failed": True}
