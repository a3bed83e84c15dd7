"""`cutover diffs rules`: the ignore rules, who answers for them, and how often they mattered."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, Context
from proxy.commands.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover diffs rules
cutover diffs rules --route plans --exit-code
"""
COLUMNS = ("STANDING", "ROUTE", "PATH", "UNTIL", "OWNER", ">HITS", ">MISSED", "REASON")
ENDED = 1


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "list ignore rules: ended ones first, with how often each ruled something out"
    parser = add_command(commands, "rules", rules, summary, EXAMPLES, inner=True)
    parser.add_argument(
        "--route", metavar="ROUTE", default=argparse.SUPPRESS, help="only of this route"
    )
    parser.add_argument(
        "--exit-code",
        action="store_true",
        default=argparse.SUPPRESS,
        help="end with 1 when a rule has ended",
    )


def rules(args: argparse.Namespace, context: Context) -> int:
    """List them."""
    found = context.connect(args.admin).get("/differences/rules", route=args.route)
    rows = [
        (
            each["standing"].replace("_", " "),
            each["route"],
            each["path"],
            each["until"] or "-",
            each["owner"] or "-",
            wording.count(each["hits"]),
            wording.count(each["missed"]),
            each["reason"],
        )
        for each in found["rules"]
    ]
    if args.json:
        print_json(context.out, found)
    elif rows:
        print_table(context.out, COLUMNS, rows, red=lambda row: row[0] == "ended")
    else:
        print_line(context.out, "no ignore rules")
    ended = any(each["standing"] == "ended" for each in found["rules"])
    return ENDED if args.exit_code and ended else OK
