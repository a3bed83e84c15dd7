"""`cutover hosts`: the proxy hosts that share one routing, and which of them acts."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, Context, Json
from proxy.commands.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

HOSTS = """
cutover hosts
cutover hosts --json
"""
COLUMNS = ("HOST", "ACTS", "HEARD", "REDIS", ">VERSION", "WORKERS", "ADDRESS")


def add_to(commands: Commands) -> None:
    """Add the command."""
    add_command(commands, "hosts", run, "who acts among many hosts, and how they all are", HOSTS)


def run(args: argparse.Namespace, context: Context) -> int:
    """Print a table; exit status 1 while no host is known to act."""
    status = context.connect(args.admin).get("/status")
    told = {name: status[name] for name in ("host", "acting", "token", "hosts")}
    if args.json:
        print_json(context.out, told)
    elif status["host"] is None:
        print_line(context.out, "This proxy is alone: no --host among many.")
    else:
        print_table(context.out, COLUMNS, [_row(host, status) for host in status["hosts"]])
        print_line(context.out)
        print_line(context.out, _summary(status))
        for host in status["hosts"]:
            if host["problem"]:
                print_line(context.err, f"warning: {host['name']}: {host['problem']}")
    return REFUSED if status["host"] and status["acting"] is None else OK


def _row(host: Json, status: Json) -> list[str]:
    seen = wording.duration(host["last_seen"])
    return [
        host["name"],
        "acts" if host["acting"] else "",
        f"{seen} ago" if host["connected"] else f"{seen} ago: away",
        "yes" if host["bus"] else "no",
        str(host["version"]),
        _workers(host, status),
        host["url"],
    ]


def _workers(host: Json, status: Json) -> str:
    """Say by which versions the data plane of a host serves, as far as that is known here."""
    own = [w for w in status["workers"] if w["role"] == "worker" and w["host"] == host["name"]]
    serving = sorted({worker["version"] for worker in own if worker["connected"]})
    if not own:
        return "not known here"
    there = sum(worker["connected"] for worker in own)
    return f"{there} of {len(own)}, at {', '.join(map(str, serving)) or 'no version'}"


def _summary(status: Json) -> str:
    if status["acting"] is None:
        return f"No host acts, as far as {status['host']} knows; each serves by its last version."
    return f"{status['acting']} acts, under token {status['token']}; asked was {status['host']}."
