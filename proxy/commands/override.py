"""`cutover override-token`: sign the permission to choose a side."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context
from proxy.commands.output import print_json, print_line
from proxy.settings import STATE, read_override_key

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover override-token --side modern --for 1h
cutover override-token --side legacy --for 30m --route plans
cutover override-token --side modern --for 5m --state /var/lib/cutover
"""
_TIME: Final = re.compile(r"([1-9][0-9]{0,6})([smhd])")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_ROUTE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}")


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "sign a header that lets a client choose the side"
    parser = add_command(commands, "override-token", run, summary, EXAMPLES, remote=False)
    parser.add_argument("--side", required=True, choices=("legacy", "modern"), help="which")
    parser.add_argument(
        "--for",
        required=True,
        type=_life,
        dest="life",
        metavar="TIME",
        help="for how long it is to hold, such as 10m or 2h, at most 30d",
    )
    parser.add_argument(
        "--route", type=_route, metavar="ID", help="on this route only (default: all)"
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        help=f"the state directory of the proxy, whose key signs ({STATE.variable}, or "
        f"{STATE.default})",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the header's line."""
    from proxy.routing.override import write_override
    from proxy.routing.side import Side

    state = args.state or context.environ.get(STATE.variable) or STATE.default
    expires = int(context.now()) + args.life
    value = write_override(
        read_override_key(Path(state)), Side(args.side), expires, args.route or ""
    )
    if args.json:
        until = datetime.fromtimestamp(expires, UTC).isoformat()
        print_json(context.out, {"name": "Cutover-Side", "value": value, "expires": until})
    else:
        print_line(context.out, f"Cutover-Side: {value}")
    return OK


def _life(text: str) -> int:
    """Read a time; argparse names this function when it cannot."""
    from proxy.routing.override import LIFE_MAX

    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0
    if not 0 < seconds <= LIFE_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time such as 10m or 2h, at most 30d")
    return seconds


def _route(text: str) -> str:
    """Read the id of a route; argparse names this function when it cannot."""
    if not _ROUTE.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the id of a route")
    return text
