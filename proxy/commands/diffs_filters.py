"""Which groups of differences are meant: the options that listing, watching and exporting share."""

from __future__ import annotations

import argparse
from typing import Any

STATES = ("open", "expected", "fixed")
KINDS = ("missing", "extra", "type_changed", "value_changed", "reordered", "length_changed")
ALL = "all"


def add_filters(
    parser: argparse.ArgumentParser, *, state: str, limit: int, inner: bool = False
) -> None:
    """Add them; `inner` leaves what is not given to the parser around this one."""

    def default(value: str | bool | None) -> Any:
        return argparse.SUPPRESS if inner else value

    add = parser.add_argument
    help_ = "only groups in whose route, kinds, places or values each of these words is found"
    add("--search", metavar="WORDS", default=default(None), help=help_)
    add("--route", metavar="ROUTE", default=default(None), help="only this route")
    help_ = f"only with a difference of this kind: {', '.join(KINDS)}"
    add("--kind", metavar="KIND", choices=KINDS, default=default(None), help=help_)
    help_ = "only on critical paths"
    add("--critical", action="store_true", default=default(False), help=help_)
    help_ = "only what was first seen under this version of the rules, or a later one"
    add("--since-version", metavar="N", default=default(None), help=help_)
    help_ = f"only in this state: {', '.join((*STATES, ALL))} (default {state})"
    add("--state", metavar="STATE", choices=(*STATES, ALL), default=default(state), help=help_)
    help_ = f"at most N groups (default {limit})"
    add("--limit", default=default(str(limit)), metavar="N", help=help_)


def query_of(args: argparse.Namespace) -> dict[str, str | None]:
    """Give what the API is asked for."""
    return {
        "search": args.search,
        "route": args.route,
        "kind": args.kind,
        "critical": "true" if args.critical else None,
        "since_version": args.since_version,
        "state": None if args.state == ALL else args.state,
        "limit": args.limit,
    }
