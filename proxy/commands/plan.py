"""The commands about plans and pins: advance, hold, approve, pins, pin, unpin."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_json, print_table
from proxy.commands.signature import signed
from proxy.commands.steer import add_change, connect, done

if TYPE_CHECKING:
    from proxy.commands.command import Commands

ADVANCE = """
cutover advance plans --reason "the numbers are good, and it is Friday noon"
cutover advance plans --force --reason "the gate waits for traffic that will not come"
"""
HOLD = """
cutover hold plans --reason "the billing run is tonight"
"""
APPROVE = """
cutover approve plans --reason "finance has seen the invoices"
"""
PIN = """
cutover pin header:X-Customer=17 legacy --reason "reported wrong invoices"
cutover pin cookie:visitor=ada modern --route plans --reason "tests it"
"""
PINS = """
cutover pins
"""
UNPIN = """
cutover unpin header:X-Customer=17 --reason "mended in 2.4.1"
"""


def add_to(commands: Commands) -> None:
    """Add the commands."""
    summary = "take the next step of a route's plan now"
    parser = add_change(commands, "advance", advance, summary, ADVANCE, route=True)
    parser.add_argument("--force", action="store_true", help="although its gate is not satisfied")
    summary = "keep a route's plan where it is, until resume"
    add_change(commands, "hold", hold, summary, HOLD, route=True)
    summary = "agree that a route's plan leaves the step that waits for an approval"
    add_change(commands, "approve", approve, summary, APPROVE, route=True)
    summary = "list the identities that are held on one side"
    add_command(commands, "pins", pins, summary, PINS)
    summary = "hold one identity on one side, whatever its bucket"
    parser = add_change(commands, "pin", pin, summary, PIN)
    parser.add_argument("identity", metavar="SOURCE=VALUE", help="who")
    parser.add_argument("side", choices=("legacy", "modern"), help="where")
    help_ = "on this route only; may be repeated"
    parser.add_argument("--route", action="append", default=[], metavar="ROUTE", help=help_)
    summary = "let an identity go where its bucket sends it again"
    parser = add_change(commands, "unpin", unpin, summary, UNPIN)
    parser.add_argument("identity", metavar="SOURCE=VALUE", help="who")


def advance(args: argparse.Namespace, context: Context) -> int:
    """Take a step by hand."""
    body: Json = {"force": args.force, **signed(args, context)}
    record = _send(args, context, "advance", body)
    evidence = record["evidence"]
    step = f"step {evidence['step']} of {evidence['of']}, {evidence['weight']:g}%"
    return done(args, context, record, f"{args.route}: on {step}; {evidence['power']}")


def hold(args: argparse.Namespace, context: Context) -> int:
    """Put a plan on hold."""
    record = _send(args, context, "hold", signed(args, context))
    return done(args, context, record, f"{args.route}: its plan is on hold")


def approve(args: argparse.Namespace, context: Context) -> int:
    """Agree that a step is left."""
    record = _send(args, context, "approve", signed(args, context))
    step = record["evidence"]["step"]
    return done(args, context, record, f"{args.route}: step {step} is approved")


def pin(args: argparse.Namespace, context: Context) -> int:
    """Pin an identity."""
    body = {
        "identity": args.identity,
        "side": args.side,
        "routes": args.route,
        **signed(args, context),
    }
    record = connect(args, context).send("POST", "/pin", body, args.if_version)
    where = f" on {', '.join(args.route)}" if args.route else ""
    return done(args, context, record, f"{args.identity}: pinned to {args.side}{where}")


def unpin(args: argparse.Namespace, context: Context) -> int:
    """End the pins of an identity."""
    body = {"identity": args.identity, **signed(args, context)}
    record = connect(args, context).send("POST", "/unpin", body, args.if_version)
    return done(args, context, record, f"{args.identity}: no longer pinned")


def pins(args: argparse.Namespace, context: Context) -> int:
    """List the pins."""
    found = connect(args, context).get("/pins")
    if args.json:
        print_json(context.out, found)
        return OK
    rows = [
        (p["identity"], p["side"], ", ".join(p["routes"]) or "all", p["reason"])
        for p in found["pins"]
    ]
    print_table(context.out, ("IDENTITY", "SIDE", "ROUTES", "REASON"), rows)
    return OK


def _send(args: argparse.Namespace, context: Context, verb: str, body: Json) -> Json:
    path = f"/routes/{segment(args.route)}/{verb}"
    return connect(args, context).send("POST", path, body, args.if_version)
