"""`cutover diffs`: where the two sides answer differently."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, USAGE, Client, Context, Json, segment
from proxy.commands.output import print_block, print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover diffs
cutover diffs --route plans --critical
cutover diffs show 4be19c07
cutover diffs --watch
"""
COLUMNS = ("SIGNATURE", "ROUTE", ">COUNT", ">RATE", "WHERE", "LEGACY", "MODERN", "LAST SEEN")
WATCH_EVERY = 2.0
VALUE_SHOWN = 32


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "show where the two sides answer differently, grouped"
    parser = add_command(commands, "diffs", run, summary, EXAMPLES)
    parser.add_argument(
        "action",
        nargs="?",
        choices=("list", "show"),
        default="list",
        help="list the groups (default), or show one with samples",
    )
    parser.add_argument("signature", nargs="?", metavar="SIGNATURE", help="the group to show")
    parser.add_argument("--route", metavar="ROUTE", help="only this route")
    parser.add_argument("--critical", action="store_true", help="only on critical paths")
    parser.add_argument("--limit", default="50", metavar="N", help="at most N groups (default 50)")
    parser.add_argument(
        "--watch", action="store_true", help="go on, and print every group that appears or grows"
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """List, show or watch."""
    if (args.action == "show") != (args.signature is not None):
        print_line(context.err, "cutover diffs: say `diffs list`, or `diffs show SIGNATURE`")
        return USAGE
    client = context.connect(args.admin)
    if args.action == "show":
        return _show(args, context, client.get(f"/differences/{segment(args.signature)}"))
    if args.watch:
        return _watch(args, context, client)
    found = _fetch(args, client)
    if args.json:
        print_json(context.out, found)
        return OK
    rows = [_row(group) for group in found["differences"]]
    if rows:
        print_table(context.out, COLUMNS, rows)
        print_line(context.out)
    print_line(context.out, _coverage(client.get("/coverage", route=args.route)))
    return OK


def _fetch(args: argparse.Namespace, client: Client) -> Json:
    critical = "true" if args.critical else None
    return client.get("/differences", route=args.route, critical=critical, limit=args.limit)


def _watch(args: argparse.Namespace, context: Context, client: Client) -> int:
    """Print groups as they appear or grow, until interrupted."""
    seen: dict[str, int] = {}
    while True:
        for group in reversed(_fetch(args, client)["differences"]):
            if group["count"] > seen.get(group["id"], 0):
                seen[group["id"]] = group["count"]
                if args.json:
                    print_block(context.out, json.dumps(group))
                else:
                    print_line(context.out, "  ".join(map(str, _row(group))))
        context.out.flush()
        context.sleep(WATCH_EVERY)


def _row(group: Json) -> list[str]:
    where = group["example_path"]
    if len(group["paths"]) > 1:
        where = f"{where} and {len(group['paths']) - 1} more"
    return [
        group["id"],
        group["route"],
        wording.count(group["count"]),
        wording.percent(group["rate"]),
        f"{where}{' (critical)' if group['critical'] else ''}",
        _value(group["example_old"]),
        _value(group["example_new"]),
        group["last_seen"],
    ]


def _value(text: str | None) -> str:
    if text is None:
        return "(nothing)"
    return text if len(text) <= VALUE_SHOWN else f"{text[: VALUE_SHOWN - 1]}…"


def _coverage(answer: Json) -> str:
    """Say how much was compared: no difference means nothing without it."""
    routes = answer["coverage"]
    compared = sum(route["compared"] for route in routes)
    mismatch = sum(route["mismatch"] for route in routes)
    left_out: dict[str, int] = {}
    for route in routes:
        for reason, count in route["not_compared"].items():
            left_out[reason] = left_out.get(reason, 0) + count
    if not compared:
        text = "Nothing has been compared yet"
    else:
        text = f"{wording.plural(compared, 'pair')} compared, {wording.count(mismatch)} differ"
    skipped = ", ".join(f"{wording.count(n)} {reason}" for reason, n in sorted(left_out.items()))
    return f"{text}; not compared: {skipped}." if skipped else f"{text}."


def _show(args: argparse.Namespace, context: Context, group: Json) -> int:
    if args.json:
        print_json(context.out, group)
        return OK
    critical = ", critical" if group["critical"] else ""
    print_line(context.out, f"{group['id']} on {group['route']}{critical}")
    print_line(context.out, f"  kinds  {', '.join(group['kinds'])}")
    print_line(context.out, f"  paths  {', '.join(group['paths'])}")
    times = wording.plural(group["count"], "time")
    print_line(context.out, f"  seen   {times}, {group['first_seen']} to {group['last_seen']}")
    for sample in group["samples"]:
        print_line(context.out)
        print_line(context.out, f"{sample['at']}  served by {sample['primary_side']}")
        print_line(context.out, f"  {sample['curl']}")
        rows = [
            (each["path"], each["kind"], _value(each["legacy"]), _value(each["modern"]))
            for each in sample["differences"]
        ]
        print_table(context.out, ("  PATH", "KIND", "LEGACY", "MODERN"), _indented(rows))
    return OK


def _indented(rows: list[tuple[str, str, str, str]]) -> list[tuple[str, str, str, str]]:
    return [(f"  {path}", kind, old, new) for path, kind, old, new in rows]
