"""`cutover compare`: do two answers say the same thing. It needs no running proxy."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from proxy.commands.command import add_command
from proxy.commands.context import Context, Json
from proxy.commands.output import print_json, print_line
from proxy.errors import RulesError, SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from shadow_compare.difference import Difference
    from shadow_compare.rules import CompareRules
    from shadow_compare.verdict import Comparison

EQUAL, DIFFERENT, NOT_COMPARABLE = 0, 1, 2
MEGABYTES = 16
"""Size of an answer that is read at most, in MB of 1,000,000 bytes."""
SECONDS = 30.0

EXAMPLES = """
cutover compare legacy.json modern.json
cutover compare http://legacy:8081/api/plans new.json --rules routing_rules.yaml --route plans
cutover compare http://old/api/me http://new/api/me -H 'Cookie: PHPSESSID=test' --timeout 5
cutover compare before.html after.html --ignore 'html.form[#login].input[csrf]'
cutover compare - saved-answer.http --json

A file may hold a body, or a whole answer as `curl -i` prints it; - is standard input.
exit codes: 0 they say the same, 1 they differ, 2 they cannot be compared (or wrong usage)
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "tell whether two answers, in files or at URLs, say the same thing"
    parser = add_command(commands, "compare", run, summary, EXAMPLES, remote=False)
    parser.add_argument("old", metavar="A", help="file, URL or -: what legacy answers")
    parser.add_argument("new", metavar="B", help="file, URL or -: what modern answers")
    parser.add_argument("--type", metavar="TYPE", help="media type of both, as application/json")
    parser.add_argument(
        "-H", "--header", action="append", default=[], metavar="FIELD",
        help="'Name: value' to ask URLs with, repeatable",
    )  # fmt: skip
    parser.add_argument("--rules", type=Path, metavar="FILE", help="compare by these rules")
    parser.add_argument("--route", metavar="ID", help="by the rules of this route")
    parser.add_argument(
        "--equivalence", action="append", default=[], metavar="NAME",
        help="a spelling that makes no difference, as number_as_string, repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--ignore", action="append", default=[], metavar="PATH",
        help="a place that does not count, as $.meta.at, repeatable",
    )  # fmt: skip
    parser.add_argument(
        "--key", action="append", default=[], metavar="PATH=MEMBER",
        help="pair the elements of an array by a member, as $.data=id, repeatable",
    )  # fmt: skip
    parser.add_argument("--zone", default="UTC", help="of times without one (default UTC)")
    parser.add_argument(
        "--timeout", type=float, default=SECONDS, metavar="SECONDS",
        help=f"for each URL as a whole (default {SECONDS:g})",
    )  # fmt: skip
    parser.add_argument(
        "--max-megabytes", type=int, default=MEGABYTES, metavar="MB",
        help=f"of an answer that is read (default {MEGABYTES})",
    )  # fmt: skip


def run(args: argparse.Namespace, context: Context) -> int:
    """Read both, compare, and print where they differ."""
    from proxy.commands.compare_input import Source, read_pair
    from shadow_compare.compare import compare

    if args.timeout <= 0 or args.max_megabytes < 1:
        raise SettingsError("--timeout is above 0, --max-megabytes at least 1")
    try:
        rules = _rules(args)
        source = Source(args.header, args.timeout, args.max_megabytes * 1_000_000)
        old, new = read_pair(args.old, args.new, args.type, source)
    except RulesError as error:
        for problem in error.problems:
            print_line(context.err, str(problem))
        return NOT_COMPARABLE
    except ValueError as error:
        raise SettingsError(str(error)) from error
    comparison = compare(old, new, rules, datetime.fromtimestamp(context.now(), UTC).date())
    if args.json:
        print_json(context.out, _plain(comparison))
    else:
        from proxy.commands.compare_tree import print_comparison

        print_comparison(context.out, comparison)
    return _exit_code(comparison.verdict)


def _exit_code(verdict: str) -> int:
    return {"mismatch": DIFFERENT, "not_compared": NOT_COMPARABLE}.get(verdict, EQUAL)


def _rules(args: argparse.Namespace) -> CompareRules:
    from shadow_compare.rules import CompareRules

    said_here = args.equivalence or args.ignore or args.key
    if args.rules is None and args.route is None:
        return CompareRules.build(
            arrays=map(_key, args.key),
            ignore=[{"path": path} for path in args.ignore],
            equivalences=args.equivalence,
            zone=args.zone,
        )
    if args.rules is None or said_here:
        raise ValueError(
            "--route goes with --rules, and neither with --equivalence, --ignore, --key"
        )
    return _rules_of(args.rules, args.route)


def _rules_of(file: Path, route_id: str | None) -> CompareRules:
    from proxy.bootstrap.shadow_rules import compare_rules
    from proxy.commands.check import read_rules

    rules = read_rules(file)
    names = ", ".join(route.id for route in rules.routes)
    if route_id is None and len(rules.routes) > 1:
        raise ValueError(f"say which route with --route; {file} has {names}")
    route = rules.route(route_id) if route_id is not None else rules.routes[0]
    if route is None:
        raise ValueError(f"--route: there is no route {route_id!r}; {file} has {names}")
    return compare_rules(route)


def _key(text: str) -> tuple[str, str]:
    path, _, member = text.partition("=")
    if not member:
        raise ValueError(f"--key: {text!r} is not PATH=MEMBER, such as $.data=id")
    return path, member


def _plain(comparison: Comparison) -> Json:
    return {
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "critical": comparison.critical,
        "differences": list(map(_difference, comparison.differences)),
        "ignored": list(map(_difference, comparison.ignored)),
        "fired": dict(comparison.fired),
    }


def _difference(difference: Difference) -> dict[str, Any]:
    """Give a difference with its values as JSON text, null where there is nothing."""
    from proxy.commands.compare_tree import value_text
    from shadow_compare.paths import path_text

    return {
        "kind": difference.kind,
        "path": path_text(difference.path),
        "old": value_text(difference.old),
        "new": value_text(difference.new),
    }
