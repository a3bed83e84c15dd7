"""`cutover routes`: what every route does right now."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from proxy.admin.console import wording
from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover routes
cutover routes plans
cutover routes --json
"""

COLUMNS = (
    "ROUTE",
    "PHASE",
    ">WEIGHT",
    ">IN FORCE",
    ">OBSERVED",
    ">REQUESTS",
    ">ERRORS L/M",
    ">P95 L/M",
    ">MISMATCH",
    "VERDICT",
)


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "show the routes: weights, errors and latency of both sides, differences"
    parser = add_command(commands, "routes", run, summary, EXAMPLES)
    parser.add_argument("route", nargs="?", metavar="ROUTE", help="only this one, with everything")


def run(args: argparse.Namespace, context: Context) -> int:
    """Print the table, or one route in full."""
    client = context.connect(args.admin)
    if args.route is not None:
        route = client.get(f"/routes/{segment(args.route)}")
        if args.json:
            print_json(context.out, route)
        else:
            _show_one(context, route)
        return OK
    status = client.get("/status")
    if args.json:
        print_json(context.out, status)
        return OK
    print_table(context.out, COLUMNS, [_row(route) for route in status["routes"]])
    print_line(context.out)
    print_line(context.out, _summary(status))
    for warning in _warnings(status):
        print_line(context.err, f"warning: {warning}")
    return OK


def percent(value: float | None) -> str:
    """Write a percentage of the API: 10, 10.5."""
    return wording.weight(None if value is None else round(value * 100))


def _row(route: Json) -> list[str]:
    legacy, modern, coverage = route["legacy"], route["modern"], route["coverage"]
    return [
        route["id"],
        route["phase"],
        percent(route["weight_configured"]),
        percent(route["weight_in_force"]),
        percent(route["weight_observed"]),
        wording.count(legacy["requests"] + modern["requests"]),
        _pair(wording.percent, legacy["error_rate"], modern["error_rate"]),
        _pair(wording.latency, legacy["p95"], modern["p95"]),
        f"{wording.percent(coverage['mismatch_rate'])} of {wording.count(coverage['compared'])}",
        route["verdict"],
    ]


def _show_one(context: Context, route: Json) -> None:
    methods = ", ".join(route["methods"]) or "any method"
    observed = percent(route["weight_observed"])
    coverage = route["coverage"]
    rows: list[tuple[str, str]] = [
        ("route", f"{route['id']}: {methods} {route['path']}"),
        ("phase", route["phase"]),
        ("weight", f"{percent(route['weight_configured'])} configured"),
        ("", f"{percent(route['weight_in_force'])} in force, {observed} observed"),
        ("legacy", _side(route["legacy"])),
        ("modern", _side(route["modern"])),
        ("compared", _coverage(coverage)),
        ("mirrored", f"{wording.percent(route['mirror_share'])} of the requests{_writes(route)}"),
        ("window", wording.duration(route["window"])),
        ("plan", f"{route['plan'] or 'none'}; on breach: {route['on_breach']}"),
        ("verdict", f"{route['verdict']}: {route['verdict_reason']}"),
    ]
    if (progress := route.get("progress")) is not None:
        rows += _progress(progress)
    if (rollback := route["rolled_back"]) is not None:
        rows.append(("rolled back", f"{rollback['at']} by {rollback['author']}"))
        rows.append(("", rollback["reason"]))
        rows.append(("", f"may be resumed from {rollback['cooldown_until']} on"))
    if (halt := route["writes_halted"]) is not None:
        rows.append(("writes", f"not mirrored since {halt['at']}: {halt['reason']}"))
        rows.append(("", f"mend modern, then: cutover resume-writes {route['id']}"))
    for name, value in rows:
        print_line(context.out, f"{name:<12} {value}")


def _progress(progress: Json) -> list[tuple[str, str]]:
    """Where the route stands on its plan, what that waits for, and what would be caught next."""
    marked = [
        f"[{percent(weight)}]" if number == progress["step"] else percent(weight)
        for number, weight in enumerate(progress["weights"], start=1)
    ]
    rows = [("steps", " > ".join(marked))]
    rows += [("", f"needs {each}") for each in progress["waits"]]
    if (held := progress["held"]) is not None:
        rows.append(("", f"on hold since {held['at']} by {held['author']}: {held['reason']}"))
    if (approved := progress["approved"]) is not None:
        rows.append(("", f"approved by {approved['author']}: {approved['reason']}"))
    if progress["power"] is not None:
        rows.append(("next", progress["power"]))
    return rows


def _writes(route: Json) -> str:
    if route["writes_halted"] is not None:
        return ", but no writes"
    return ", writes too" if route["mirrors_writes"] else ""


def _side(side: Json) -> str:
    rate = wording.rate(side["requests_per_second"])
    return (
        f"{wording.plural(side['requests'], 'request')} ({rate}), "
        f"errors {wording.percent(side['error_rate'])}, p50 {wording.latency(side['p50'])}, "
        f"p95 {wording.latency(side['p95'])}"
    )


def _coverage(coverage: Json) -> str:
    text = (
        f"{wording.count(coverage['compared'])}: {coverage['match']} match, "
        f"{coverage['ignored']} ignored, {coverage['mismatch']} mismatch"
    )
    skipped = ", ".join(f"{n} {reason}" for reason, n in coverage["not_compared"].items())
    return f"{text}; not compared: {skipped}" if skipped else text


def _summary(status: Json) -> str:
    workers = [w for w in status["workers"] if w["connected"]]
    behind = sum(w["version"] != status["version"] for w in workers)
    text = f"version {status['version']} of {status['rules_file']}; "
    text += f"{wording.plural(len(workers), 'worker')} connected"
    if behind:
        text += f", {behind} of them not yet at this version"
    return f"{text}; {_who_acts(status)}" if status.get("host") else text


def _who_acts(status: Json) -> str:
    acting = status["acting"]
    if acting == status["host"]:
        return f"{acting} acts"
    url = next((host["url"] for host in status["hosts"] if host["acting"]), None)
    told = f"{acting} acts ({url})" if acting else "no host is known to act"
    return f"{told}; this is {status['host']}, which measures nothing"


def _warnings(status: Json) -> list[str]:
    warnings = []
    if status["kill_switch"]:
        by = f", by a file: {status['kill_file']}" if status.get("kill_file") else ""
        warnings.append(f"the kill switch is on{by}: everything goes to legacy (cutover unkill)")
    if status["rules_problem"]:
        problem = " ".join(status["rules_problem"].split())
        warnings.append(f"the rules file is refused: {problem}")
    if status["store_problem"]:
        warnings.append(f"the store cannot be written: {status['store_problem']}")
    for host in status.get("hosts", ()):
        if not host["connected"]:
            seen = wording.duration(host["last_seen"])
            warnings.append(
                f"{host['name']} was last heard of {seen} ago, serving version {host['version']}"
            )
        elif not host["bus"]:
            warnings.append(f"{host['name']} has no Redis; it keeps to what is in the store")
        if host["connected"] and host["problem"] and host["name"] != status["host"]:
            warnings.append(f"{host['name']}: {' '.join(host['problem'].split())}")
    rolled_back = [route["id"] for route in status["routes"] if route["rolled_back"]]
    if rolled_back:
        warnings.append(f"rolled back: {', '.join(rolled_back)} (cutover resume ROUTE)")
    halted = [route["id"] for route in status["routes"] if route["writes_halted"]]
    if halted:
        names = ", ".join(halted)
        warnings.append(f"writes are not mirrored any more: {names} (cutover resume-writes ROUTE)")
    return warnings


def _pair(write: Any, legacy: float | None, modern: float | None) -> str:
    return f"{write(legacy)} / {write(modern)}"
