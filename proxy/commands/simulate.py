"""`cutover simulate`: what a policy would have done on the outcomes that were recorded."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, Client, Context, Json
from proxy.commands.output import print_json, print_line, print_table
from proxy.errors import SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from proxy.control.interval import Interval
    from proxy.control.loaded import LoadedRules

EXAMPLES = """
cutover simulate --policy stricter.yaml --from 2026-11-20
cutover simulate --policy stricter.yaml --from 2026-11-20T09:00:00Z --to 2026-11-21 --route plans
"""
PAGE = 500
COLUMNS = ("AT", "ROUTE", "WOULD", ">FROM", ">TO", "BECAUSE")
ENDINGS = ("ROUTE", ">WEIGHT", ">MINUTES", "VERDICT", "BECAUSE")


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "play a policy on recorded outcomes: which steps, which rollbacks, when and why"
    parser = add_command(commands, "simulate", run, summary, EXAMPLES)
    policy = "a rules file; it begins at the weights that it says"
    parser.add_argument("--policy", required=True, metavar="FILE", type=Path, help=policy)
    parser.add_argument(
        "--from", required=True, dest="since", metavar="DATE", help="since when (RFC 3339)"
    )
    parser.add_argument("--to", dest="until", metavar="DATE", help="until when (default: now)")
    parser.add_argument("--route", metavar="ROUTE", help="only this route")


def run(args: argparse.Namespace, context: Context) -> int:
    """Play it, and print what it would have done and where that ends."""
    from proxy.control.simulate import simulate  # most commands need none of this

    loaded = _policy(args.policy)
    if args.route is not None and loaded.rules.route(args.route) is None:
        raise SettingsError(f"{args.policy}: there is no route `{args.route}`")
    found = simulate(loaded, _recorded(context.connect(args.admin), args), args.route)
    endings, moves, minutes = found.endings, found.moves, found.minutes
    if args.json:
        plain: Json = {"minutes": minutes, "moves": [asdict(m) for m in moves]}
        plain |= {"endings": [asdict(e) for e in endings], "notes": list(found.notes)}
        print_json(context.out, plain)
        return OK
    rows = [
        (wording.utc(m.at), m.route, m.action, wording.weight(m.before), wording.weight(m.after),
         m.reason)
        for m in moves
    ]  # fmt: skip
    print_line(context.out, f"{wording.plural(minutes, 'recorded minute')} since {args.since}")
    if not minutes:
        return OK
    print_line(context.out)
    if rows:
        print_table(context.out, COLUMNS, rows)
    else:
        print_line(context.out, "no step and no rollback")
    print_line(context.out)
    print_table(
        context.out,
        ENDINGS,
        [(e.route, wording.weight(e.weight), e.minutes, e.verdict, e.reason) for e in endings],
    )
    for note in found.notes:
        print_line(context.out)
        print_line(context.out, f"note: {note}")
    return OK


def _policy(path: Path) -> LoadedRules:
    """Read the policy; raises SettingsError when it cannot be read, and RulesError."""
    from proxy.control.loaded import LoadedRules
    from proxy.routing.schema import load_rules

    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise SettingsError(f"--policy {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"--policy {path}: is not UTF-8 text") from error
    return LoadedRules(text, *load_rules(text, str(path)))


def _recorded(client: Client, args: argparse.Namespace) -> Iterator[Interval]:
    """Read what was recorded, page by page."""
    from proxy.control.interval import Interval

    after: int | None = None
    while True:
        page: Json = client.get(
            "/outcomes",
            since=args.since,
            until=args.until,
            route=args.route,
            limit=PAGE,
            after=after,
        )
        yield from map(Interval.from_plain, page["outcomes"])
        after = page["next_after"]
        if after is None:
            return
