"""What `python -m bench proxy` understands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from bench.proxy.products.all import PEERS, PURE
from bench.proxy.products.site import Product
from bench.proxy.workload import BY_NAME, WORKLOADS, Workload


@dataclass(frozen=True, slots=True)
class Asked:
    """One run. `seconds` is the length of one measurement of one product."""

    workloads: tuple[Workload, ...]
    peers: tuple[Product, ...]
    rounds: int
    seconds: int
    access_log: bool
    profile: bool
    explicit: bool
    """Whether workloads or --all were given: then `routes` is measured for the peers, too."""
    peers_named: bool
    """Whether the peers were given: then one that is missing is an error."""


def parse(argv: Sequence[str]) -> Asked:
    """Read the options; exits with an explanation when they cannot be understood."""
    given = _parser().parse_args(argv)
    names = given.workload or [w.name for w in WORKLOADS if given.all or w.quick]
    peers = {peer.name: peer for peer in PEERS}
    chosen = list(peers) if given.peers is None else [n for n in given.peers.split(",") if n]
    for name in chosen:
        if name not in peers:
            _parser().error(f"no peer is called {name!r}; there are {', '.join(peers)}")
    ours = (PURE,) if given.pure else ()
    return Asked(
        workloads=tuple(workload for workload in WORKLOADS if workload.name in names),
        peers=(*ours, *(peers[name] for name in peers if name in chosen)),
        rounds=given.rounds,
        seconds=given.seconds,
        access_log=given.access_log,
        profile=given.profile,
        explicit=bool(given.workload) or given.all,
        peers_named=given.peers is not None,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench proxy",
        description="The data plane beside its peers: CPU, throughput, latency, memory.",
        epilog="workloads:\n"
        + "\n".join(f"  {w.name:11} {w.meaning}{' *' if w.quick else ''}" for w in WORKLOADS)
        + "\n  (* measured when none is named)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--workload", nargs="+", metavar="NAME", choices=list(BY_NAME))
    parser.add_argument("--all", action="store_true", help="every workload: about half an hour")
    parser.add_argument("--peers", metavar="A,B", help="only these; empty: ours alone")
    parser.add_argument("--pure", action="store_true", help="ours again, without compiled modules")
    parser.add_argument("--rounds", type=_positive, default=5, help="pairs (default 5)")
    parser.add_argument("--seconds", type=_positive, default=2, help="of each run (default 2)")
    parser.add_argument("--access-log", action="store_true", help="have all products write one")
    parser.add_argument("--profile", action="store_true", help="where ours spends it, with perf")
    return parser


def _positive(text: str) -> int:
    value = int(text)
    if not 0 < value <= 1000:
        raise argparse.ArgumentTypeError("from 1 to 1000")
    return value
