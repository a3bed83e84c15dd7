"""`python -m bench NAME [OPTIONS]`: choose a bench and run it."""

from __future__ import annotations

import importlib
import os
import signal
import sys

import orjson

from bench.processes import BenchError
from proxy import compiled

BENCHES = {
    "proxy": "the data plane beside nginx, HAProxy, Envoy, Caddy and two Python proxies",
    "soak": "the data plane under mixed and broken traffic: does its memory grow?",
    "path": "the stages of one request in this process, without sockets, in microseconds",
    "report": "the report over a million comparisons, on SQLite and on PostgreSQL",
    "mirror": "the primary while everything is mirrored and compared, beside nginx with `mirror`",
    "rollback": "how soon modern is taken back, and how seldom without a cause",
    "hosts": "how soon a change is in force on one host and on three, and another host acts",
    "compare": "the comparison: pairs a second beside DeepDiff",
}
IN_PROCESS = frozenset({"compare", "path"})
"""Benches that measure the hot path in their own process, in the form CUTOVER_COMPILED asks for."""


def main(argv: list[str]) -> int:
    """Run one bench; the last line of its output is JSON."""
    if not argv or argv[0] not in BENCHES:
        print("usage: python -m bench NAME [OPTIONS]      (NAME --help tells of the options)\n")
        for name, meaning in BENCHES.items():
            print(f"  {name:9} {meaning}")
        return 0 if argv in (["--help"], ["-h"]) else 2
    # Without this an end from outside would leave the products running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if argv[0] in IN_PROCESS:
        print(compiled.use(os.environ.get("CUTOVER_COMPILED", "auto")))
    try:
        result = importlib.import_module(f"bench.{argv[0]}").main(argv[1:])
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    print(orjson.dumps({"bench": argv[0], **result}).decode())
    return 1 if result.get("failed") else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
