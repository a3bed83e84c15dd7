"""`cutover diffs proposals`: rules that what was seen speaks for, for a person to decide."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json
from proxy.commands.output import print_json, print_line

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover diffs proposals
cutover diffs proposals --route plans --json
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "list rules that noise and differences speak for, with the numbers"
    parser = add_command(commands, "proposals", proposals, summary, EXAMPLES, inner=True)
    parser.add_argument(
        "--route", metavar="ROUTE", default=argparse.SUPPRESS, help="only of this route"
    )


def proposals(args: argparse.Namespace, context: Context) -> int:
    """List them, each with the lines to add to the rules."""
    found = context.connect(args.admin).get("/differences/proposals", route=args.route)
    if args.json:
        print_json(context.out, found)
        return OK
    if not found["proposals"]:
        print_line(context.out, "no proposals: nothing that was seen speaks for a rule so far")
    for proposal in found["proposals"]:
        print_line(context.out, f"{proposal['route']}: {proposal['path']}: {proposal['why']}")
        print_line(context.out, f"  compare: {_entry(proposal)}")
    return OK


def _entry(proposal: Json) -> str:
    """Write the entry as it stands in the rules; JSON is YAML, too."""
    value = json.dumps(proposal["value"], ensure_ascii=False)
    listed = value if proposal["section"] == "tolerances" else f"[{value}]"
    return f"{{{proposal['section']}: {listed}}}"
