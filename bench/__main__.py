"""`python -m bench NAME`: choose a bench and run it."""

from __future__ import annotations

import importlib
import sys

import orjson

BENCHES = {
    "proxy": "the data plane: CPU per request and throughput beside nginx and HAProxy",
    "compare": "the comparison: pairs a second beside DeepDiff",
}


def main(argv: list[str]) -> int:
    """Run one bench; the last line of its output is JSON."""
    if len(argv) != 1 or argv[0] not in BENCHES:
        print("usage: python -m bench NAME\n")
        for name, meaning in BENCHES.items():
            print(f"  {name:9} {meaning}")
        return 0 if argv in (["--help"], ["-h"]) else 2
    result = importlib.import_module(f"bench.{argv[0]}").run()
    print(orjson.dumps({"bench": argv[0], **result}).decode())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
