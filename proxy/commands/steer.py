"""The commands that change something: set-weight, rollback, resume, deployed, kill and more."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import Run, add_command
from proxy.commands.context import OK, Client, Context, Json, UnreachableError, segment
from proxy.commands.output import print_json, print_line
from proxy.commands.signature import add_signature, signed
from proxy.errors import SettingsError
from proxy.kill_file import KillFile

if TYPE_CHECKING:
    from proxy.commands.command import Commands

SET_WEIGHT = """
cutover set-weight plans 10% --reason "compared 2,000 answers, none differ"
cutover set-weight plans 12.5 --reason "half a step" --if-version 41
"""
ROLLBACK = """
cutover rollback plans --reason "customers report wrong prices"
"""
RESUME = """
cutover resume plans --reason "prices fixed in release 2.4.1"
cutover resume plans --weight 1% --reason "carefully"
cutover resume plans --force --reason "the cool-down can wait: it was the network"
"""
RESUME_WRITES = """
cutover resume-writes subscriptions.create --reason "release 2.5 has the middleware"
"""
DEPLOYED = """
cutover deployed --reason "release 2.5 of modern"
"""
KILL = """
cutover kill --reason "modern corrupts invoices"
cutover kill --state /var/lib/cutover --reason "the controller is dead, too"
"""
UNKILL = """
cutover unkill --reason "fixed and verified"
cutover unkill --state /var/lib/cutover --reason "the file did its work"
"""
BY_FILE = """\
Without the API, on each host of the data plane: {command} --state DIR --reason "…"
makes or removes the file DIR/kill, which every worker follows within 0.1 s."""


def add_to(commands: Commands) -> None:
    """Add the commands."""
    summary = "give a route another weight: the share of users that modern serves"
    parser = add_change(commands, "set-weight", set_weight, summary, SET_WEIGHT, route=True)
    parser.add_argument("weight", metavar="WEIGHT", help="0%% to 100%%, with at most two decimals")
    summary = "take a route back to legacy, and hold it there"
    add_change(commands, "rollback", rollback, summary, ROLLBACK, route=True)
    summary = "let a rolled back route move again, or a plan that is on hold go on"
    parser = add_change(commands, "resume", resume, summary, RESUME, route=True)
    parser.add_argument("--weight", metavar="WEIGHT", help="begin at this weight")
    parser.add_argument("--force", action="store_true", help="even before the cool-down ends")
    summary = "mirror the writes of a route again, after one was not acknowledged"
    add_change(commands, "resume-writes", resume_writes, summary, RESUME_WRITES, route=True)
    summary = "say that modern has another release: evidence about the last one counts no more"
    add_change(commands, "deployed", deployed, summary, DEPLOYED)
    summary = "send everything to legacy, at once, whatever the rules say"
    _add_state(add_change(commands, "kill", kill, summary, KILL))
    summary = "let the rules decide again after kill"
    _add_state(add_change(commands, "unkill", unkill, summary, UNKILL))


def set_weight(args: argparse.Namespace, context: Context) -> int:
    """Change the weight and say from what to what."""
    client = context.connect(args.admin)
    path = f"/routes/{segment(args.route)}"
    before = client.get(path)
    body = {"weight": args.weight, **signed(args, context)}
    record = client.send("PUT", f"{path}/weight", body, args.if_version)
    was = f"{before['weight_configured']:g}%"
    return done(args, context, record, f"{args.route}: {was} -> {args.weight.rstrip(' %')}%")


def rollback(args: argparse.Namespace, context: Context) -> int:
    """Hold the route at 0."""
    path = f"/routes/{segment(args.route)}/rollback"
    record = connect(args, context).send("POST", path, signed(args, context), args.if_version)
    return done(args, context, record, f"{args.route}: rolled back, legacy serves everybody")


def resume(args: argparse.Namespace, context: Context) -> int:
    """Let the route move again."""
    body: Json = {"force": args.force, **signed(args, context)}
    if args.weight is not None:
        body["weight"] = args.weight
    path = f"/routes/{segment(args.route)}/resume"
    record = connect(args, context).send("POST", path, body, args.if_version)
    weight = record["evidence"].get("weight")
    at = "" if weight is None else f" at {weight:g}%"
    return done(args, context, record, f"{args.route}: resumed{at}")


def resume_writes(args: argparse.Namespace, context: Context) -> int:
    """Mirror the writes of the route again."""
    path = f"/routes/{segment(args.route)}/resume-writes"
    record = connect(args, context).send("POST", path, signed(args, context), args.if_version)
    return done(args, context, record, f"{args.route}: writes are mirrored again")


def deployed(args: argparse.Namespace, context: Context) -> int:
    """Have all routes measured anew."""
    body = signed(args, context)
    record = connect(args, context).send("POST", "/deployed", body, args.if_version)
    return done(args, context, record, "all routes are measured anew")


def kill(args: argparse.Namespace, context: Context) -> int:
    """Turn the kill switch on."""
    return _switch(args, context, True, "kill switch on: everything goes to legacy")


def unkill(args: argparse.Namespace, context: Context) -> int:
    """Turn the kill switch off."""
    return _switch(args, context, False, "kill switch off: the rules decide again")


def add_change(
    commands: Commands, name: str, run: Run, summary: str, examples: str, *, route: bool = False
) -> argparse.ArgumentParser:
    """Add a command that changes something: with a reason, an author, and a version if wanted."""
    parser = add_command(commands, name, run, summary, examples)
    if route:
        parser.add_argument("route", metavar="ROUTE", help="the id of the route")
    add_signature(parser)
    return parser


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state",
        type=Path,
        metavar="DIR",
        help="by the file DIR/kill, without the API: for when the controller is dead",
    )


def connect(args: argparse.Namespace, context: Context) -> Client:
    """Give the API that the command line names."""
    return context.connect(args.admin)


def _switch(args: argparse.Namespace, context: Context, on: bool, told: str) -> int:
    if args.state is not None:
        return _switch_by_file(args, context, on)
    body = {"on": on, **signed(args, context)}
    try:
        record = connect(args, context).send("PUT", "/kill-switch", body, args.if_version)
    except UnreachableError as error:
        command = "cutover kill" if on else "cutover unkill"
        raise UnreachableError(f"{error}\n{BY_FILE.format(command=command)}") from error
    return done(args, context, record, told)


def _switch_by_file(args: argparse.Namespace, context: Context, on: bool) -> int:
    """Make or remove the file itself; raises SettingsError when that is not possible."""
    if not args.state.is_dir():
        raise SettingsError(f"--state {args.state}: there is no such directory on this host")
    switch = KillFile(args.state.absolute())
    if on:
        who = signed(args, context)
        switch.turn_on(who["author"], who["reason"])
        said = f"kill switch on by {switch.path}: everything on this host goes to legacy"
    elif switch.turn_off():
        said = f"{switch.path} is removed: the rules decide again, unless the API says kill"
    else:
        said = f"there is no {switch.path}; nothing was changed"
    if args.json:
        print_json(context.out, {"kill_file": str(switch.path), "on": on})
    else:
        print_line(context.out, said)
    return OK


def done(args: argparse.Namespace, context: Context, record: Json, sentence: str) -> int:
    """Say what was done, with the version that this made."""
    if args.json:
        print_json(context.out, record)
    else:
        print_line(context.out, f"{sentence} (version {record['number']})")
    return OK
