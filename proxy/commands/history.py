"""`cutover history` and `cutover decisions`: who changed what, when, and on what evidence."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_block, print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

HISTORY = """
cutover history
cutover history 41
cutover history --limit 5 --json
"""
DECISIONS = """
cutover decisions
cutover decisions --route plans
cutover decisions 17
"""


def add_to(commands: Commands) -> None:
    """Add both commands."""
    summary = "list the versions of the rules, or show one with its document"
    parser = add_command(commands, "history", history, summary, HISTORY)
    parser.add_argument("number", nargs="?", metavar="N", help="the version to show")
    _add_page(parser)
    summary = "list the decisions, or show one with its evidence"
    parser = add_command(commands, "decisions", decisions, summary, DECISIONS)
    parser.add_argument("number", nargs="?", metavar="ID", help="the decision to show")
    parser.add_argument("--route", metavar="ROUTE", help="only of this route")
    _add_page(parser)


def history(args: argparse.Namespace, context: Context) -> int:
    """List the versions, or show one."""
    client = context.connect(args.admin)
    if args.number is not None:
        version = client.get(f"/versions/{segment(args.number)}")
        if args.json:
            print_json(context.out, version)
            return OK
        head = f"version {version['number']} (after {version['parent']}), {version['at']}"
        print_line(context.out, f"{head}, {version['author']}: {version['reason']}")
        print_line(context.out, _state(version) or "nothing is rolled back")
        print_line(context.out)
        print_block(context.out, version["text"].rstrip("\n"))
        return OK
    found = client.get("/versions", limit=args.limit, before=args.before)
    if args.json:
        print_json(context.out, found)
        return OK
    rows = [(v["number"], v["at"], v["author"], v["reason"], _state(v)) for v in found["versions"]]
    print_table(context.out, (">VERSION", "AT", "AUTHOR", "REASON", "STATE"), rows)
    _print_more(context, found)
    return OK


def decisions(args: argparse.Namespace, context: Context) -> int:
    """List the decisions, or show one."""
    client = context.connect(args.admin)
    if args.number is not None:
        return _show(args, context, client.get(f"/decisions/{segment(args.number)}"))
    found = client.get("/decisions", limit=args.limit, before=args.before, route=args.route)
    if args.json:
        print_json(context.out, found)
        return OK
    rows = [
        (d["id"], d["at"], d["action"], d["route"] or "-", d["version"], d["author"], d["reason"])
        for d in found["decisions"]
    ]
    columns = (">ID", "AT", "ACTION", "ROUTE", ">VERSION", "AUTHOR", "REASON")
    print_table(context.out, columns, rows)
    _print_more(context, found)
    return OK


def _add_page(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", metavar="N", default="20", help="at most N (default 20)")
    parser.add_argument("--before", metavar="N", help="only older ones than this number")


def _print_more(context: Context, found: Json) -> None:
    if found["next_before"] is not None:
        print_line(context.out, f"older ones: --before {found['next_before']}")


def _state(version: Json) -> str:
    parts = [f"rolled back: {', '.join(version['rolled_back'])}"] if version["rolled_back"] else []
    return "; ".join([*parts, *(["kill switch on"] if version["kill_switch"] else [])])


def _show(args: argparse.Namespace, context: Context, decision: Json) -> int:
    if args.json:
        print_json(context.out, decision)
        return OK
    route = f" of {decision['route']}" if decision["route"] else ""
    print_line(context.out, f"decision {decision['id']}: {decision['action']}{route}")
    print_line(context.out, f"  at       {decision['at']}")
    print_line(context.out, f"  author   {decision['author']}")
    print_line(context.out, f"  reason   {decision['reason']}")
    print_line(context.out, f"  version  {decision['version']}")
    for name, value in decision["evidence"].items():
        shown = value if isinstance(value, str | int | float) else json.dumps(value, indent=2)
        print_block(context.out, f"  {name:<8} {shown}".replace("\n", "\n           "))
    return OK
