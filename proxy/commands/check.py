"""`cutover check`: is this rules file valid, and what does it say. It needs no running proxy.

Unless it is to judge plans by the traffic that there is (`--traffic`).
"""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, Context, Json
from proxy.commands.output import print_block, print_json, print_line, print_table
from proxy.errors import RulesError, RulesProblem

if TYPE_CHECKING:
    from proxy.commands.command import Commands
    from proxy.routing.rules import RouteRules, Rules

EXAMPLES = """
cutover check
cutover check deploy/routing_rules.yaml
cutover check --traffic
cutover check --json routing_rules.yaml
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "validate a rules file and show what it says"
    parser = add_command(commands, "check", run, summary, EXAMPLES)
    parser.add_argument(
        "--traffic", action="store_true", help="judge plans by the traffic of a running proxy"
    )
    parser.add_argument(
        "file",
        nargs="?",
        default="routing_rules.yaml",
        metavar="FILE",
        help="the rules (default routing_rules.yaml)",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Print every problem, or a summary and notes."""
    try:
        rules = read_rules(Path(args.file))
    except RulesError as error:
        return _refused(args, context, error)
    notes = _notes(args, context, rules)
    if args.json:
        print_json(context.out, {"valid": True, "routes": _plain(rules), "notes": notes})
        return OK
    rows = [
        (r["id"], r["match"], r["weight"], r["mirror"], r["plan"] or "-") for r in _plain(rules)
    ]
    print_table(context.out, ("ROUTE", "MATCH", ">WEIGHT", ">MIRROR", "PLAN"), rows)
    print_line(context.out)
    print_line(context.out, f"{args.file} is valid: {wording.plural(len(rules.routes), 'route')}.")
    for note in notes:
        print_line(context.out, f"note: {note}")
    return OK


def read_rules(path: Path) -> Rules:
    """Read a rules file; raises RulesError, also when it cannot be read at all."""
    from proxy.routing.schema import load_rules

    return load_rules(read_text(path), str(path))[1]


def read_text(path: Path) -> str:
    """Read the text of a rules file, its line ends as they are; raises RulesError."""
    from proxy.errors import Position

    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        where = Position(str(path), 1, 1)
        reason = error.strerror or str(error)
        raise RulesError((RulesProblem(where, f"cannot be read: {reason}"),)) from error
    except UnicodeDecodeError as error:
        where = Position(str(path), 1, 1)
        problem = RulesProblem(where, "is not UTF-8", suggestion="save the file as UTF-8")
        raise RulesError((problem,)) from error


def _notes(args: argparse.Namespace, context: Context, rules: Rules) -> list[str]:
    """Summarise the plans in use, then say what may surprise; with --traffic by what is seen."""
    from proxy.commands.lint import notes_on  # not before `serve` has chosen its form

    used = {route.plan for route in rules.routes}
    plans = [
        f"plan {name}: {' -> '.join(wording.weight(step.weight) for step in steps)}"
        "; each step is taken by itself when its gate is satisfied"
        for name, steps in rules.plans
        if name in used
    ]
    today = datetime.fromtimestamp(context.now(), UTC).date()
    return [*plans, *notes_on(rules, today, _rates(args, context))]


def _rates(args: argparse.Namespace, context: Context) -> dict[str, float] | None:
    """Ask the running proxy how many requests a second each route has; None unless wanted."""
    if not args.traffic:
        return None
    routes = context.connect(args.admin).get("/routes")["routes"]
    sides = ("legacy", "modern")
    return {r["id"]: sum(r[side]["requests_per_second"] for side in sides) for r in routes}


def _refused(args: argparse.Namespace, context: Context, error: RulesError) -> int:
    found = sorted(error.problems, key=lambda problem: (problem.where.line, problem.where.column))
    if args.json:
        problems = [_problem_plain(problem) for problem in found]
        print_json(context.out, {"valid": False, "problems": problems})
        return REFUSED
    for problem in found:
        print_block(context.err, str(problem))
    print_line(context.err, f"{args.file}: {wording.plural(len(found), 'problem')}.")
    return REFUSED


def _problem_plain(problem: RulesProblem) -> Json:
    return {
        "file": problem.where.file,
        "line": problem.where.line,
        "column": problem.where.column,
        "message": problem.message,
        "found": problem.text,
        "suggestion": problem.suggestion,
    }


def _plain(rules: Rules) -> list[Json]:
    return [
        {
            "id": route.id,
            "match": _match(route),
            "weight": wording.weight(route.weight),
            "mirror": wording.percent(route.mirror.share),
            "plan": route.plan,
        }
        for route in rules.routes
    ]


def _match(route: RouteRules) -> str:
    return f"{','.join(route.match.methods) or 'any'} {route.match.path}"
