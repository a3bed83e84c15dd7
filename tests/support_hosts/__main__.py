"""`python -m tests.support_hosts --rounds 200 --seed 7`: many rounds, and what they came to."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from itertools import islice

from tests.support_hosts.course import rounds
from tests.support_hosts.drive import Figures, play
from tests.support_hosts.site import running_site


async def run(seed: int, wanted: int, refusals: bool) -> int:
    """Play rounds and tell of each; gives 1 when one was not good."""
    figures = Figures()
    async with running_site(seed) as site:
        for number, this in enumerate(islice(rounds(seed, site.names), wanted), 1):
            began = time.monotonic()
            violations = await play(site, this, figures)
            took = time.monotonic() - began
            _say(f"{number:>4} {took:5.1f} s, version {site.newest}: {this}", *violations)
            if refusals:
                _say(*site.refusals)
            site.refusals.clear()
            if violations:
                _say(f"not good: --seed {seed}, round {number}")
                return 1
    _say(f"{wanted} rounds, seed {seed}: all good", str(figures))
    return 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join((*lines, "")))
    sys.stdout.flush()


def main() -> int:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--refusals", action="store_true", help="tell what operators were told")
    options = parser.parse_args()
    return asyncio.run(run(options.seed, options.rounds, options.refusals))


if __name__ == "__main__":
    sys.exit(main())
