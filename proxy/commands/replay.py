"""`cutover replay`: recorded traffic against two applications. It needs no running proxy."""

from __future__ import annotations

import argparse
import asyncio
import secrets
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from proxy.commands.command import add_command
from proxy.commands.context import Context
from proxy.errors import RulesError, SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from proxy.routing.rules import Rules
    from shadow_compare.replay.run import Plan
    from shadow_compare.rules import CompareRules
    from shadow_compare.transport import Origin

FAILED = 1
ROUTE = "replay"
"""The route of everything when no rules are named."""

EXAMPLES = """
cutover replay access.log --legacy http://127.0.0.1:8081 --modern http://127.0.0.1:8082
cutover replay traffic.har --rules routing_rules.yaml --html report.html --rate 50
cutover replay requests.gor --rules routing_rules.yaml --max-mismatch 0.1% --min-compared 1000
cutover replay access.log --rules routing_rules.yaml -H 'Cookie: PHPSESSID=test' --json
cutover replay requests.gor --rules rules.yaml --writes "both sides are throw-away copies"

It reads HAR, access logs (common, combined), files of GoReplay, and exported differences (JSON).
Killed at any moment, the same command goes on where it was.
exit codes: 0 within the thresholds, 1 beyond them or nothing compared, 2 wrong usage
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "ask two applications what was asked before, and compare: the test before a cutover"
    parser = add_command(commands, "replay", run, summary, EXAMPLES, remote=False)
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the recorded traffic")
    add("--format", choices=("har", "access-log", "goreplay", "samples"), help="if not by itself")
    add("--legacy", metavar="URL", help="one side (default: the first instance in --rules)")
    add("--modern", metavar="URL", help="the other side (default: the first instance in --rules)")
    add("--rules", type=Path, metavar="FILE", help="compare by the rules of each route")
    add("-H", "--header", action="append", default=[], metavar="FIELD",
        help="'Name: value' in the place of what was recorded, repeatable")  # fmt: skip
    add("--rate", type=float, default=0.0, metavar="N", help="requests per second to each side")
    add("--concurrency", type=int, default=8, metavar="N", help="at once (default 8)")
    add("--timeout", type=float, default=30.0, metavar="SECONDS", help="of an answer (default 30)")
    add("--writes", metavar="WORDS",
        help="also send what changes state, to both sides; say why that may be")  # fmt: skip
    add("--state", type=Path, metavar="FILE", help="results so far (default FILE.replay.db)")
    add("--max-mismatch", default="0%", metavar="RATE", help="of the compared (default 0%%)")
    add("--min-compared", type=int, default=1, metavar="N", help="pairs at least (default 1)")
    add("--html", type=Path, metavar="OUT", help="write the report as one page, too")


def run(args: argparse.Namespace, context: Context) -> int:
    """Replay, and end with the report."""
    from proxy.admin.members import parse_weight
    from shadow_compare.store.errors import StoreError

    tolerated = parse_weight(args.max_mismatch)
    if tolerated is None:
        raise SettingsError(f"--max-mismatch: {args.max_mismatch!r} is not a share, such as 0.1%")
    if args.writes is not None and not args.writes.strip():
        raise SettingsError("--writes: say in a few words why both sides may be written to")
    if args.concurrency < 1 or args.rate < 0 or args.timeout <= 0:
        raise SettingsError("--concurrency and --timeout are above 0, --rate is not below")
    try:
        plan = _plan(args)
        with args.file.open("rb") as stream:
            return asyncio.run(_replay(args, context, plan, stream, tolerated / 10_000))
    except StoreError as error:
        raise SettingsError(f"the results cannot be kept: {error}") from error
    except RulesError as error:
        raise SettingsError("\n".join(map(str, error.problems))) from error
    except OSError as error:
        raise SettingsError(f"{error.filename or args.file}: {error.strerror}") from error
    except ValueError as error:
        raise SettingsError(str(error)) from error


def _plan(args: argparse.Namespace) -> Plan:
    from proxy.commands.check import read_rules
    from proxy.commands.compare_input import field_of
    from shadow_compare.replay.run import Plan

    rules = None if args.rules is None else read_rules(args.rules)
    urls = []
    for side in ("legacy", "modern"):
        url = getattr(args, side)
        if url is None and rules is not None:
            url = getattr(rules, side).instances[0]
        if url is None:
            raise ValueError(f"say with --{side} URL, or --rules FILE, where {side} is")
        urls.append(_origin(url, f"--{side}"))
    return Plan(
        legacy=urls[0],
        modern=urls[1],
        route_of=_routes(rules),
        rate=args.rate,
        concurrency=args.concurrency,
        writes=args.writes is not None,
        timeout=args.timeout,
        headers=dict(map(field_of, args.header)),
    )


def _origin(url: str, source: str) -> Origin:
    from shadow_compare.transport import Origin

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError(f"{source}: {url!r} is not the URL of a side, as http://127.0.0.1:8081")
    if parts.scheme == "http":
        return Origin(parts.hostname, parts.port or 80)
    context = ssl.create_default_context()
    return Origin(parts.hostname, parts.port or 443, context, parts.hostname)


def _routes(rules: Rules | None) -> Callable[[str, str], tuple[str, CompareRules]]:
    """Give what finds the route of a request with its compiled rules."""
    from shadow_compare.rules import CompareRules

    if rules is None:
        plain = CompareRules()
        return lambda _method, _target: (ROUTE, plain)
    from proxy.bootstrap.shadow_rules import compare_rules
    from proxy.routing.table import Table

    table = Table(rules, frozenset(), False, 1, b"")
    compiled = {route.id: compare_rules(route) for route in rules.routes}

    def route_of(method: str, target: str) -> tuple[str, CompareRules]:
        route = table.match(method, target.partition("?")[0])
        if route is None:
            return "(no route)", CompareRules()
        return route.rules.id, compiled[route.rules.id]

    return route_of


async def _replay(
    args: argparse.Namespace, context: Context, plan: Plan, stream: BinaryIO, tolerated: float
) -> int:
    from proxy.commands.replay_report import Bar, conclude
    from shadow_compare.redact import Redactor
    from shadow_compare.replay.progress import Progress, metadata
    from shadow_compare.replay.reading import FORMATS, format_of
    from shadow_compare.replay.run import Replay
    from shadow_compare.report import Report
    from shadow_compare.store.database import Database

    kind = args.format or format_of(stream.read(4096))
    stream.seek(0)
    size = args.file.stat().st_size
    state = args.state or args.file.with_name(f"{args.file.name}.replay.db")
    database = Database(f"sqlite+aiosqlite:///{state.absolute()}", metadata)
    try:
        progress = Progress(database)
        what = f"{args.file.absolute()} ({size} bytes) to {plan.legacy[:2]} and {plan.modern[:2]}"
        resumed = await progress.resume(what)
        replay = Replay(plan, progress, Redactor(secrets.token_bytes(32)))
        with Bar(context.err, size) as bar:
            await replay.run(
                FORMATS[kind](stream), resumed, lambda: bar.move(stream.tell(), replay.asked)
            )
        return await conclude(args, context, Report(database), replay.unreadable, tolerated)
    finally:
        await database.close()
