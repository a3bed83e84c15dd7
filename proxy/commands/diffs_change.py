"""`cutover diffs accept` and `cutover diffs fixed`: what is to become of a difference."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_json, print_line

if TYPE_CHECKING:
    from proxy.commands.command import Commands

ACCEPT = """
cutover diffs accept 9f1c2ab4d0e17735 --until 2027-03-01 --reason "the clock of each side"
cutover diffs accept 9f1c2ab4d0e17735 --until 2027-03-01 --reason "agreed" --owner billing \\
    --path '$.meta.generated_at'
"""
FIXED = """
cutover diffs fixed 9f1c2ab4d0e17735 --reason "prices rounded half up since release 2.4.1"
"""


def add_to(commands: Commands) -> None:
    """Add the commands."""
    summary = "rule a difference out until a day: writes ignore rules into the rules file"
    parser = add_command(commands, "accept", accept, summary, ACCEPT, inner=True)
    _add_common(parser)
    parser.add_argument("--until", required=True, metavar="DATE", help="the last day it holds")
    parser.add_argument("--owner", metavar="NAME", help="who says so, and will be asked")
    parser.add_argument(
        "--path",
        action="append",
        metavar="PATH",
        help="only this place of the group, repeatable (default: all of it)",
    )
    parser.add_argument(
        "--critical", action="store_true", help="even where the rules call a place critical"
    )
    parser.add_argument(
        "--if-version", type=int, metavar="N", help="only if the rules are still at this version"
    )
    summary = "say that a difference is mended; it opens again when it is seen again"
    _add_common(add_command(commands, "fixed", fixed, summary, FIXED, inner=True))


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("signature", metavar="SIGNATURE", help="the group of differences")
    parser.add_argument("--reason", required=True, help="why; it goes on record")
    parser.add_argument("--author", metavar="NAME", help="who (default: the user you are)")


def accept(args: argparse.Namespace, context: Context) -> int:
    """Make ignore rules, and say in which version."""
    body: Json = {
        "reason": args.reason,
        "author": args.author or context.user,
        "until": args.until,
        "critical": args.critical,
    }
    if args.owner:
        body["owner"] = args.owner
    if args.path:
        body["paths"] = args.path
    path = f"/differences/{segment(args.signature)}/accept"
    record = context.connect(args.admin).send("POST", path, body, args.if_version)
    if args.json:
        print_json(context.out, record)
        return OK
    print_line(context.out, f"{args.signature}: expected until {args.until}")
    print_line(context.out, f"  the ignore rules are in force (version {record['number']})")
    return OK


def fixed(args: argparse.Namespace, context: Context) -> int:
    """Mark a group as mended."""
    body = {"reason": args.reason, "author": args.author or context.user}
    path = f"/differences/{segment(args.signature)}/fixed"
    group = context.connect(args.admin).send("POST", path, body)
    if args.json:
        print_json(context.out, group)
    else:
        print_line(context.out, f"{args.signature}: fixed; it opens again when it is seen again")
    return OK
