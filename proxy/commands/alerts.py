"""`cutover alerts test`: whether everybody who is to be told is reached."""

from __future__ import annotations

import argparse
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, Context
from proxy.commands.output import print_json, print_line
from proxy.errors import NotFoundError, SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands

ALERTS = """
cutover alerts test --file /etc/cutover/alerts.yaml
"""
TEST = """
cutover alerts test --file /etc/cutover/alerts.yaml
cutover alerts test --file /etc/cutover/alerts.yaml --target pager
"""


def add_to(commands: Commands) -> None:
    """Add the command and its own commands."""
    summary = "try who is told of rollbacks and troubles"
    parser = add_command(commands, "alerts", test, summary, ALERTS, remote=False)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summary = "send a test to every receiver, once, and show what each answers"
    parser = add_command(inner, "test", test, summary, TEST, remote=False, inner=True)
    parser.add_argument("--file", type=Path, metavar="FILE", help="the receivers (CUTOVER_ALERTS)")
    parser.add_argument("--target", metavar="NAME", help="only this one")


def test(args: argparse.Namespace, context: Context) -> int:
    """Send it from here, past any controller."""
    from proxy.control.alerts.file import load_alerting
    from proxy.control.alerts.message import trial
    from proxy.control.alerts.post import post
    from proxy.control.alerts.shapes import body_of, headers_of

    file = args.file or context.environ.get("CUTOVER_ALERTS")
    if not file:
        raise SettingsError("name the file of receivers with --file, or CUTOVER_ALERTS")
    alerting = load_alerting(Path(file))
    targets = [t for t in alerting.targets if args.target in (None, t.name)]
    if args.target is not None and not targets:
        known = ", ".join(target.name for target in alerting.targets)
        raise NotFoundError(f"there is no receiver {args.target!r}; there are: {known}")
    alert, results = trial(context.now(), context.user), []
    for target in targets:
        body = body_of(alert, target, alerting.console)
        headers = headers_of(body, target, token_hex(8), int(context.now()))
        outcome = post(target.url, body, headers)
        results.append(
            {"target": target.name, "delivered": outcome.delivered, "told": outcome.told}
        )
        if not args.json:
            said = "delivered" if outcome.delivered else "NOT delivered"
            print_line(context.out, f"{target.name}: {said}: {outcome.told}")
    if args.json:
        print_json(context.out, {"results": results})
    return OK if all(each["delivered"] for each in results) else REFUSED
