"""`cutover diffs proposals`: rules that what was seen speaks for, for a person to decide."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_json, print_line

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover diffs proposals
cutover diffs proposals --route plans --json
"""
ADOPT = """
cutover diffs adopt 5d0c9f1b2a774e03 --reason "each side has its ids"
cutover diffs adopt 5d0c9f1b2a774e03 --reason "a counter" --owner billing --until 2027-03-01
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "list rules that noise and differences speak for, with the numbers"
    parser = add_command(commands, "proposals", proposals, summary, EXAMPLES, inner=True)
    parser.add_argument(
        "--route", metavar="ROUTE", default=argparse.SUPPRESS, help="only of this route"
    )
    help_ = "at most N, the surest first (default 50)"
    parser.add_argument("--limit", metavar="N", default=argparse.SUPPRESS, help=help_)
    _add_adopt(commands)


def _add_adopt(commands: Commands) -> None:
    summary = "make a proposal a rule: writes it into the rules file"
    parser = add_command(commands, "adopt", adopt, summary, ADOPT, inner=True)
    add = parser.add_argument
    add("proposal", metavar="PROPOSAL", help="as `cutover diffs proposals` calls it")
    add("--reason", required=True, help="why; it goes on record")
    add("--author", metavar="NAME", help="who (default: the user you are)")
    add("--until", metavar="DATE", help="the last day it holds; asked for by ignore rules")
    add("--owner", metavar="NAME", help="of an ignore rule: who says so, and will be asked")
    help_ = "only if the rules are still at this version"
    add("--if-version", type=int, metavar="N", help=help_)


def adopt(args: argparse.Namespace, context: Context) -> int:
    """Make a rule, and say in which version."""
    body: Json = {"reason": args.reason, "author": args.author or context.user}
    body |= {key: value for key in ("until", "owner") if (value := getattr(args, key))}
    path = f"/differences/proposals/{segment(args.proposal)}/accept"
    record = context.connect(args.admin).send("POST", path, body, args.if_version)
    if args.json:
        print_json(context.out, record)
        return OK
    print_line(context.out, f"{args.proposal}: in force (version {record['number']})")
    return OK


def proposals(args: argparse.Namespace, context: Context) -> int:
    """List them, each with the entry that adopting it adds to the rules."""
    client = context.connect(args.admin)
    found = client.get("/differences/proposals", route=args.route, limit=args.limit)
    if args.json:
        print_json(context.out, found)
        return OK
    if not found["proposals"]:
        print_line(context.out, "no proposals: nothing that was seen speaks for a rule so far")
    for proposal in found["proposals"]:
        where = f"{proposal['id']}  {proposal['route']}: {proposal['path']}"
        print_line(context.out, f"{where}: {proposal['why']}")
        print_line(context.out, f"  compare: {_entry(proposal)}")
    if found["next_offset"] is not None:
        print_line(context.out, f"There may be more than these {args.limit}; see --limit.")
    return OK


def _entry(proposal: Json) -> str:
    """Write the entry as it stands in the rules; JSON is YAML, too."""
    value = json.dumps(proposal["value"], ensure_ascii=False)
    listed = value if proposal["section"] == "tolerances" else f"[{value}]"
    return f"{{{proposal['section']}: {listed}}}"
