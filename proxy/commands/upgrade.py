"""`cutover upgrade`: replace the running program by the one that is installed now."""

from __future__ import annotations

import argparse
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, UNREACHABLE, Context, Json
from proxy.commands.output import print_json, print_line
from proxy.errors import SettingsError
from proxy.serving.claims import Papers, expects, holder
from proxy.settings import ROLES, SERVE_SETTINGS

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover upgrade
cutover upgrade --state /var/lib/cutover
cutover upgrade --json
"""

PATIENCE: Final = 150.0
"""Seconds to wait for the supervisor's word; it gives its successor up before."""

LOOK: Final = 0.05
STARTED_WITHIN: Final = 5.0
"""Seconds between looks, and for the supervisor to say that it has begun."""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "replace the running program by the one installed now, without a refused connection"
    parser = add_command(commands, "upgrade", run, summary, EXAMPLES, remote=False)
    default = next(setting for setting in SERVE_SETTINGS if setting.name == "state")
    parser.add_argument(
        "--state",
        metavar="DIR",
        help=f"the state directory of the running proxy (default {default.default};"
        f" {default.variable})",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Upgrade every supervisor of the state directory; say what became of each."""
    default = next(setting for setting in SERVE_SETTINGS if setting.name == "state")
    given = args.state or context.environ.get(default.variable) or default.default
    state = Path(given).absolute()
    supervisors = running(state)
    if not supervisors:
        text = f"no `cutover serve` is running on {state}; name its directory with --state DIR"
        if args.json:
            print_json(context.out, {"upgrades": [], "problem": text})
        else:
            print_line(context.err, f"cutover: {text}")
        return UNREACHABLE
    upgrades = [_upgraded(Papers(state, role), pid, context) for role, pid in supervisors.items()]
    if args.json:
        print_json(context.out, {"upgrades": upgrades})
    else:
        for upgrade in upgrades:
            done = upgrade["state"] == "done"
            print_line(context.out if done else context.err, _told(upgrade))
    return OK if all(upgrade["state"] == "done" for upgrade in upgrades) else REFUSED


def running(state: Path) -> dict[str, int]:
    """Give the supervisors at work on this directory, by the role that each was started with.

    The kernel is asked who holds the locks: a pid file could name somebody else by now, whom
    SIGUSR2 would end.
    """
    holders = {role: pid for role in ROLES[1:] if (pid := holder(state, role)) is not None}
    pids = set(holders.values())
    if len(pids) == 1 and len(holders) == len(ROLES[1:]):
        return {"all": pids.pop()}
    return holders


def _upgraded(papers: Papers, pid: int, context: Context) -> Json:
    """Have one supervisor replaced, and wait for what it says of it."""
    last = papers.last()
    under_way = last.get("state") == "running" and last["old"]["pid"] == pid
    awaited = last.get("number", 0) + (0 if under_way else 1)
    if not _listens(pid, context):
        reason = "it is still starting, or of a version that cannot be upgraded while it runs"
        return {"state": "failed", "reason": reason, "old": {"pid": pid}}
    try:
        os.kill(pid, signal.SIGUSR2)
    except PermissionError as error:
        raise SettingsError(
            f"process {pid} belongs to another user; be that user, or root"
        ) from error
    except ProcessLookupError:
        return {"state": "failed", "reason": f"process {pid} has just ended", "old": {"pid": pid}}
    waited = 0.0
    while waited < PATIENCE:
        context.sleep(LOOK)
        waited += LOOK
        last = papers.last()
        begun = last.get("number", 0) >= awaited
        if begun and last["state"] != "running":
            return last
        if not begun and waited > STARTED_WITHIN:
            break
    reason = f"process {pid} did not say how it went within {waited:.0f} s; see its log"
    return {"state": "failed", "reason": reason, "old": {"pid": pid}}


def _listens(pid: int, context: Context) -> bool:
    """Wait a moment until the signal would not end it, as it does by default."""
    waited = 0.0
    while not expects(pid, signal.SIGUSR2):
        if waited > STARTED_WITHIN:
            return False
        context.sleep(LOOK)
        waited += LOOK
    return True


def _told(upgrade: Json) -> str:
    old, new = upgrade["old"], upgrade.get("new") or {}
    if upgrade["state"] != "done":
        return f"cutover: not upgraded, process {old['pid']} goes on as it was: {upgrade['reason']}"
    return (
        f"upgraded in {upgrade['seconds']:.1f} s: process {old['pid']} ({old['version']}) gave way"
        f" to {new['pid']} ({new['version']}), and ends when what it serves has ended"
    )
