"""`cutover explain`: which side would serve a request, and why."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, REFUSED, USAGE, Context, Json, UnreachableError
from proxy.commands.output import print_json, print_line, print_table

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover explain GET /api/plans
cutover explain GET /api/plans -H 'Cookie: PHPSESSID=3f2a'
cutover explain GET '/api/subscriptions?user_id=17' --client-ip 203.0.113.7
cutover explain GET /api/plans --rules routing_rules.yaml
"""
DEFAULT_RULES = "routing_rules.yaml"


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "show which side would serve a request, and why"
    parser = add_command(commands, "explain", run, summary, EXAMPLES)
    parser.add_argument("method", metavar="METHOD", help="such as GET")
    parser.add_argument(
        "target", metavar="TARGET", help="the path with its query: /api/plans?page=2"
    )
    parser.add_argument(
        "-H",
        "--header",
        action="append",
        default=[],
        metavar="'NAME: VALUE'",
        help="a header of the request; may be repeated",
    )
    parser.add_argument(
        "--client-ip",
        default="127.0.0.1",
        metavar="IP",
        help="where the request comes from (default 127.0.0.1)",
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        help="explain by this file, not by the running proxy (default: the running proxy if there "
        f"is one, else {DEFAULT_RULES})",
    )


def run(args: argparse.Namespace, context: Context) -> int:
    """Explain by the running proxy when it answers, else by the file, and say which."""
    fields = _headers(args.header)
    if fields is None:
        print_line(context.err, "cutover explain: a header is written 'NAME: VALUE'")
        return USAGE
    if args.rules is not None:
        return _by_file(args, context, fields, f"by {args.rules}")
    client = context.connect(args.admin)
    try:
        answer = client.send("POST", "/explain", _body(args, fields))
    except UnreachableError:
        if args.admin is not None or not Path(DEFAULT_RULES).is_file():
            raise
        source = f"by {DEFAULT_RULES}, because no admin API answers at {client.url}"
        return _by_file(args, context, fields, source)
    return _show(args, context, answer, f"by version {answer['version']}, in force ({client.url})")


def _by_file(
    args: argparse.Namespace, context: Context, fields: list[tuple[str, str]], source: str
) -> int:
    from proxy.admin.explain import explain
    from proxy.admin.schemas import RequestToExplain, request_troubles
    from proxy.commands.check import read_rules
    from proxy.routing.table import Table
    from proxy.wire.errors import RequestError

    table = Table(read_rules(Path(args.rules or DEFAULT_RULES)))
    request = RequestToExplain(args.method, args.target, tuple(fields), args.client_ip)
    troubles = request_troubles(request)
    if troubles:
        for trouble in troubles:
            print_line(context.err, f"cutover explain: {trouble}")
        return REFUSED
    try:
        explanation = explain(table, request)
    except RequestError as error:
        print_line(context.err, f"the proxy refuses this request with {error.status}: {error}")
        return REFUSED
    plain = explanation.to_plain()
    source = f"{source}; a file knows neither rollbacks nor the kill switch"
    return _show(args, context, plain, source)


def _show(args: argparse.Namespace, context: Context, answer: Json, source: str) -> int:
    if args.json:
        print_json(context.out, {**answer, "source": source})
        return OK
    rows = [(step["name"], step["outcome"], step["detail"]) for step in answer["steps"]]
    print_table(context.out, ("ASKED", "ANSWER", "BECAUSE"), rows)
    print_line(context.out)
    print_line(context.out, f"{answer['method']} {answer['path']}: {_verdict(answer)}")
    print_line(context.out, f"({source})")
    return OK


def _verdict(answer: Json) -> str:
    if answer["route"] is None:
        return "no route, 404"
    if answer["side"] is None:
        return "either side, drawn with a new identity"
    return f"{answer['side']} ({answer['reason']})"


def _body(args: argparse.Namespace, fields: list[tuple[str, str]]) -> Json:
    headers: dict[str, list[str]] = {}
    for name, value in fields:
        headers.setdefault(name, []).append(value)
    return {
        "method": args.method,
        "target": args.target,
        "headers": headers,
        "client_ip": args.client_ip,
    }


def _headers(given: list[str]) -> list[tuple[str, str]] | None:
    pairs = [header.partition(":") for header in given]
    if not all(colon and name.strip() for name, colon, _ in pairs):
        return None
    return [(name.strip(), value.strip()) for name, _, value in pairs]
