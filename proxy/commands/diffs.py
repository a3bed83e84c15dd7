"""`cutover diffs`: where the two sides answer differently: list, show, watch."""

from __future__ import annotations

import argparse
import json
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands import diffs_change, diffs_export, diffs_proposals, diffs_rules
from proxy.commands.command import add_command
from proxy.commands.context import OK, Client, Context, Json, segment
from proxy.commands.diffs_filters import add_filters, query_of
from proxy.commands.output import print_block, print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover diffs
cutover diffs list --route plans --critical --state all
cutover diffs list --search "price 29.00" --kind value_changed --since-version 17
cutover diffs list --exit-code
cutover diffs show 9f1c2ab4d0e17735
cutover diffs watch --route plans
cutover diffs accept 9f1c2ab4d0e17735 --until 2027-03-01 --reason "the clock of each side"
cutover diffs fixed 9f1c2ab4d0e17735 --reason "release 2.4.1"
cutover diffs proposals
cutover diffs adopt 5d0c9f1b2a774e03 --reason "each side has its ids"
cutover diffs rules
cutover diffs export 9f1c2ab4d0e17735 --html --out ticket-17.html

exit codes of list: 0; with --exit-code 1 when a difference is listed or nothing was compared
"""
LIST_EXAMPLES = """
cutover diffs list
cutover diffs list --route plans --critical --state all
cutover diffs list --search "price 29.00" --kind value_changed --since-version 17
cutover diffs list --exit-code
"""
SHOW_EXAMPLES = """
cutover diffs show 9f1c2ab4d0e17735
cutover diffs show 9f1c2ab4d0e17735 --json
"""
WATCH_EXAMPLES = """
cutover diffs watch
cutover diffs watch --route plans --json
"""
COLUMNS = (
    "SIGNATURE", "ROUTE", "STATE", ">COUNT", ">RATE", "WHERE", "LEGACY", "MODERN", "LAST SEEN",
)  # fmt: skip
DIFFERENT = 1
WATCH_EVERY = 2.0
VALUE_SHOWN = 32


def add_to(commands: Commands) -> None:
    """Add the command with its own."""
    summary = "show where the two sides answer differently, and say what is to become of it"
    parser = add_command(commands, "diffs", list_, summary, EXAMPLES)
    add_filters(parser, state="open", limit=50)
    _add_exit_code(parser)
    own = parser.add_subparsers(title="commands", metavar="COMMAND")
    summary = "list groups of differences"
    child = add_command(own, "list", list_, summary, LIST_EXAMPLES, inner=True)
    add_filters(child, state="open", limit=50, inner=True)
    _add_exit_code(child, inner=True)
    summary = "show one group with its samples"
    child = add_command(own, "show", show, summary, SHOW_EXAMPLES, inner=True)
    child.add_argument("signature", metavar="SIGNATURE", help="the group")
    summary = "print every group that appears or grows, until interrupted"
    child = add_command(own, "watch", watch, summary, WATCH_EXAMPLES, inner=True)
    add_filters(child, state="open", limit=50, inner=True)
    diffs_change.add_to(own)
    diffs_export.add_to(own)
    diffs_proposals.add_to(own)
    diffs_rules.add_to(own)


def _add_exit_code(parser: argparse.ArgumentParser, *, inner: bool = False) -> None:
    parser.add_argument(
        "--exit-code",
        action="store_true",
        default=argparse.SUPPRESS if inner else False,
        help="end with 1 when a difference is listed, or nothing was compared",
    )


def list_(args: argparse.Namespace, context: Context) -> int:
    """List groups below what was compared at all."""
    client = context.connect(args.admin)
    found = _fetch(args, client)
    covered = client.get("/coverage", route=args.route)
    if args.json:
        print_json(context.out, {**found, **covered})
    else:
        rows = [_row(group) for group in found["differences"]]
        print_line(context.out, _coverage(covered))
        if rows:
            print_line(context.out)
            print_table(context.out, COLUMNS, rows)
    compared = any(route["compared"] for route in covered["coverage"])
    return DIFFERENT if args.exit_code and (found["differences"] or not compared) else OK


def show(args: argparse.Namespace, context: Context) -> int:
    """Show one group with its samples."""
    group = context.connect(args.admin).get(f"/differences/{segment(args.signature)}")
    if args.json:
        print_json(context.out, group)
        return OK
    critical = ", critical" if group["critical"] else ""
    print_line(context.out, f"{group['id']} on {group['route']}{critical}")
    for name, text in _facts(group):
        print_line(context.out, f"  {name:<6} {text}")
    for sample in group["samples"]:
        print_line(context.out)
        print_line(context.out, f"{sample['at']}  served by {sample['primary_side']}")
        print_line(context.out, f"  {sample['curl']}")
        rows = [
            (f"  {each['path']}", each["kind"], _value(each["legacy"]), _value(each["modern"]))
            for each in sample["differences"]
        ]
        print_table(context.out, ("  PATH", "KIND", "LEGACY", "MODERN"), rows)
    return OK


def watch(args: argparse.Namespace, context: Context) -> int:
    """Print groups as they appear or grow, until interrupted."""
    client = context.connect(args.admin)
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


def _fetch(args: argparse.Namespace, client: Client) -> Json:
    return client.get("/differences", **query_of(args))


def _facts(group: Json) -> list[tuple[str, str]]:
    times = wording.plural(group["count"], "time")
    bounds = f"{wording.percent(group['rate_low'])} to {wording.percent(group['rate_high'])}"
    found = [
        ("kinds", ", ".join(group["kinds"])),
        ("paths", ", ".join(group["paths"])),
        ("seen", f"{times}, {group['first_seen']} to {group['last_seen']}"),
        ("rate", f"{wording.percent(group['rate'])} of {wording.count(group['compared'])} compared"
                 f" since then, {bounds} with 95% certainty"),
        ("rules", f"version {group['first_version']} to {group['last_version']}"),
    ]  # fmt: skip
    state = group["state"]
    if group["state_reason"]:
        word = "was marked" if state == "open" else state
        state = f"{word} by {group['state_author']} at {group['state_at']}: {group['state_reason']}"
    if group["reopened"]:
        state += f"; seen again since, {wording.plural(group['reopened'], 'time')}"
    return [*found, ("state", state)]


def _row(group: Json) -> list[str]:
    where = group["example_path"]
    if len(group["paths"]) > 1:
        where = f"{where} and {len(group['paths']) - 1} more"
    return [
        group["id"],
        group["route"],
        f"{group['state']}{' again' if group['reopened'] else ''}",
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
    if not compared:
        text = "Nothing has been compared yet"
    else:
        text = f"{wording.plural(compared, 'pair')} compared, {wording.count(mismatch)} differ"
    for name, word in (("ignored_by_reason", "ignored"), ("not_compared", "not compared")):
        reasons: dict[str, int] = {}
        for route in routes:
            for reason, count in route[name].items():
                reasons[reason] = reasons.get(reason, 0) + count
        if reasons:
            told = ", ".join(
                f"{wording.count(n)} {reason}" for reason, n in sorted(reasons.items())
            )
            text = f"{text}; {word}: {told}"
    return f"{text}."
