"""`cutover audit verify`: whether the journal is whole. It asks the store, not the controller."""

from __future__ import annotations

import argparse
import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, Context
from proxy.commands.output import print_json, print_line
from proxy.errors import SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from proxy.control.audit import Verdict

AUDIT = """
cutover audit verify
"""
VERIFY = """
cutover audit verify
cutover audit verify --state /var/lib/cutover
cutover audit verify --store postgresql://cutover@db.internal/cutover
cutover audit verify --expect 41:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
"""


def add_to(commands: Commands) -> None:
    """Add the command and its own commands."""
    summary = "verify the journal of decisions"
    parser = add_command(commands, "audit", verify, summary, AUDIT, remote=False)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summary = "read the whole journal, and name the first entry that is not as it was written"
    parser = add_command(inner, "verify", verify, summary, VERIFY, remote=False, inner=True)
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the state directory (default .cutover)"
    )
    parser.add_argument(
        "--store", metavar="URL", help="the database, if not in the state directory"
    )
    parser.add_argument(
        "--expect", action="append", default=[], metavar="N:HASH", help="an entry noted elsewhere"
    )


def verify(args: argparse.Namespace, context: Context) -> int:
    """Verify, and say how far the journal goes."""
    from proxy.control.anchor import Anchor
    from proxy.control.audit import sqlite_url, verify
    from proxy.control.chain import Link
    from proxy.settings import JOURNAL_HEAD, STATE, store_url

    state = args.state or Path(context.environ.get(STATE.variable) or STATE.default)
    given = args.store or context.environ.get("CUTOVER_STORE")
    url = store_url(given, "--store") if given else sqlite_url(state / "cutover.db")
    expected = [Link.parse(text) for text in args.expect]
    links = tuple(link for link in expected if link is not None)
    if len(links) < len(expected):
        raise SettingsError("--expect: write NUMBER:HASH, as a verification has printed it")
    found = asyncio.run(verify(url, links, Anchor(state / JOURNAL_HEAD)))
    return _tell(args, context, found)


def _tell(args: argparse.Namespace, context: Context, found: Verdict) -> int:
    whole = found.first is None
    if args.json:
        print_json(context.out, found.to_plain())
        return OK if whole else REFUSED
    for fault in sorted(found.faults, key=lambda fault: fault.entry):
        print_line(context.err, str(fault))
    if found.first is None:
        what = f"{wording.count(found.last.number)} entries, {found.decisions:,} decisions"
        print_line(context.out, f"the journal is whole: {what}")
    else:
        print_line(context.err, f"the journal is broken; the first entry is {found.first.entry}")
    if found.unchained:
        print_line(context.out, f"{found.unchained} decisions are older than the journal")
    if not found.guarded:
        print_line(context.out, "nothing was noted of its end: entries may be missing there")
    print_line(context.out, f"last entry {found.last}")
    return OK if whole else REFUSED
