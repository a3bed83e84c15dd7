"""`cutover record`: traffic written down for a later replay. It works on the host that serves."""

from __future__ import annotations

import argparse
import difflib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json
from proxy.commands.output import print_json, print_line, print_table
from proxy.commands.signature import add_signature, signed
from proxy.errors import SettingsError
from proxy.recording import (
    BYTES_MOST,
    SECONDS_MOST,
    Recorded,
    Recording,
    RecordingFile,
    recorded,
)

if TYPE_CHECKING:
    from proxy.commands.command import Commands

SHARE: Final = "100%"
TIME: Final = "10m"
SIZE: Final = "256MiB"

_TIME: Final = re.compile(r"(\d{1,6})(s|m|h|d)")
_SECONDS: Final = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_SIZE: Final = re.compile(r"(\d{1,9})(KiB|MiB|GiB)")
_BYTES: Final = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

RECORD = """
cutover record start --route plans --share 10% --reason "test before the cutover of plans"
cutover record status
cutover record stop
"""
START = """
cutover record start --reason "an evening of everything"
cutover record start --route plans --route users --share 10% --for 2h --size 1GiB --reason "…"
cutover record start --state /var/lib/cutover --reason "the busiest hour"

It ends by itself, after --for or when --size is reached. Secrets are redacted before anything is
written; what that leaves of a request, and what can be replayed, docs/replay.md tells.
"""
STATUS = """
cutover record status
cutover record status --json
"""
STOP = """
cutover record stop
"""


def add_to(commands: Commands) -> None:
    """Add the command and its own commands."""
    summary = "record traffic on this host, redacted, for a later replay"
    parser = add_command(commands, "record", status, summary, RECORD, remote=False)
    inner = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    summary = "begin to record; it ends by itself"
    parser = add_command(inner, "start", start, summary, START, remote=False, inner=True)
    add = parser.add_argument
    add("--route", action="append", default=[], metavar="ROUTE",
        help="only requests of this route, repeatable (default all)")  # fmt: skip
    add("--share", default=SHARE, help=f"of these requests (default {SHARE})".replace("%", "%%"))
    add("--for", dest="span", default=TIME, metavar="TIME", help=f"how long (default {TIME})")
    add("--size", default=SIZE, help=f"bytes of all files at most (default {SIZE})")
    _add_state(parser)
    add_signature(parser, version=False)
    summary = "end the recording"
    parser = add_command(inner, "stop", stop, summary, STOP, remote=False, inner=True)
    _add_state(parser)
    summary = "tell what is recorded now, and what was"
    parser = add_command(inner, "status", status, summary, STATUS, remote=False, inner=True)
    _add_state(parser)


def start(args: argparse.Namespace, context: Context) -> int:
    """Give the order; raises SettingsError for what cannot be one, and while another holds."""
    from proxy.admin.members import parse_weight

    file, now = _file(args, context), context.now()
    share = parse_weight(args.share)
    if not share:
        raise SettingsError(f"--share: {args.share!r} is not a share above 0%, such as 10%")
    _check_routes(file.path.with_name("snapshot.json"), args.route)
    who = signed(args, context)
    order = Recording.begun(
        now, now + _time(args.span), args.route, share / 10_000, _size(args.size),
        who["author"], who["reason"],
    )  # fmt: skip
    running = file.begin(order, now)
    if running is not None:
        raise SettingsError(
            f"{running.author} records until {wording.utc(running.until)}: {running.reason}\n"
            "  cutover record stop ends it"
        )
    what = "all routes" if not order.routes else ", ".join(order.routes)
    until = wording.utc(order.until)
    if args.json:
        print_json(context.out, {**order.to_plain(), "folder": str(file.folder / order.id)})
    else:
        print_line(context.out, f"recording {args.share} of {what} until {until}")
        print_line(context.out, f"  into {file.folder / order.id}")
    return OK


def stop(args: argparse.Namespace, context: Context) -> int:
    """Take the order back."""
    file = _file(args, context)
    running = file.read()
    was_there = file.remove()
    is_running = running is not None and context.now() < running.until
    if args.json:
        print_json(context.out, {"stopped": was_there and is_running})
    elif is_running and running is not None:
        print_line(context.out, f"stopped; cutover replay {file.folder / running.id} --rules …")
    else:
        print_line(context.out, "nothing was being recorded")
    return OK


def status(args: argparse.Namespace, context: Context) -> int:
    """Tell what is being recorded, and what recordings there are."""
    file = _file(args, context)
    running, found = file.read(), recorded(file.folder)
    is_running = running is not None and context.now() < running.until
    if args.json:
        plain = running.to_plain() if running is not None and is_running else None
        print_json(context.out, {"recording": plain, "recordings": list(map(_plain, found))})
        return OK
    if running is not None and is_running:
        what = "all routes" if not running.routes else ", ".join(running.routes)
        share, left = wording.percent(running.share), running.until - context.now()
        print_line(context.out, f"recording {share} of {what}, {wording.duration(left)} left")
        print_line(context.out, f"  {running.author}: {running.reason}")
    else:
        print_line(context.out, "nothing is being recorded")
    if found:
        print_line(context.out)
        rows = [(each.id, each.files, _megabytes(each), each.folder) for each in found]
        print_table(context.out, ("RECORDING", ">FILES", ">SIZE", "WHERE"), rows)
    return OK


def _plain(found: Recorded) -> Json:
    folder = str(found.folder)
    return {"id": found.id, "folder": folder, "files": found.files, "size": found.size}


def _megabytes(found: Recorded) -> str:
    return f"{found.size / 1e6:,.1f} MB"


def _add_state(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--state", type=Path, metavar="DIR", help="the state directory (default .cutover)"
    )


def _file(args: argparse.Namespace, context: Context) -> RecordingFile:
    from proxy.settings import STATE

    state = args.state or Path(context.environ.get(STATE.variable) or STATE.default)
    if not state.is_dir():
        raise SettingsError(f"--state {state}: there is no such directory on this host")
    return RecordingFile(state.absolute())


def _check_routes(snapshot: Path, wanted: Sequence[str]) -> None:
    """Refuse routes that the proxy of this directory does not have, if it tells of any."""
    try:
        routes = json.loads(snapshot.read_bytes())["document"]["routes"]
        known = [str(route["id"]) for route in routes]
    except (OSError, ValueError, LookupError, TypeError):
        return
    for name in wanted:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known[:20])}"
            raise SettingsError(f"--route: there is no route {name!r}; {hint}")


def _time(text: str) -> float:
    found = _TIME.fullmatch(text)
    seconds = int(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not 0 < seconds <= SECONDS_MOST:
        raise SettingsError(f"--for: {text!r} is not a time up to 7d, such as 30m or 2h")
    return seconds


def _size(text: str) -> int:
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _BYTES[found[2]] if found else 0
    if not 0 < size <= BYTES_MOST:
        raise SettingsError(f"--size: {text!r} is not a size up to 64GiB, such as 256MiB")
    return size
