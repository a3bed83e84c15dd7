"""`cutover check`: is this rules file valid, and what does it say. It needs no running proxy."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime
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
cutover check --json routing_rules.yaml
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "validate a rules file and show what it says"
    parser = add_command(commands, "check", run, summary, EXAMPLES, remote=False)
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
    notes = list(notes_on(rules, datetime.fromtimestamp(context.now(), UTC).date()))
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


def notes_on(rules: Rules, today: date) -> Iterator[str]:
    """Say what is valid but may surprise."""
    from proxy.routing.compare_rules import Standing  # not before `serve` has chosen its form

    used = {route.plan for route in rules.routes}
    for name, steps in rules.plans:
        if name in used:
            weights = " -> ".join(wording.weight(step.weight) for step in steps)
            yield f"plan {name}: {weights}; steps are taken by hand in this version (set-weight)"
    for route in rules.routes:
        for rule in route.compare.ignore:
            if rule.standing(today) is Standing.ENDED:
                yield f"{route.id}: the ignore rule for {rule.path} ended on {rule.until}"
            elif rule.standing(today) is Standing.ENDING:
                yield f"{route.id}: the ignore rule for {rule.path} ends on {rule.until}"
            if any(_is_beneath(path, rule.path) for path in route.compare.critical):
                yield f"{route.id}: the ignore rule for {rule.path} hides a critical path"
        if route.weight > 0 and route.mirror.share == 0:
            weight = wording.weight(route.weight)
            yield f"{route.id}: serves {weight} from modern, and mirrors nothing"
    if not any(route.match.path == "/*" and not route.match.methods for route in rules.routes):
        yield "no route takes everything that is left: such requests are answered 404"


def _is_beneath(path: str, other: str) -> bool:
    """Whether a path is another one, or a place beneath it."""
    return path == other or path.startswith((f"{other}.", f"{other}["))


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
