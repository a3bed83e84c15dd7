"""The command line as a whole: which commands there are."""

from __future__ import annotations

import argparse

from proxy.commands import (
    accounts,
    alerts,
    audit,
    check,
    compare,
    diffs,
    document,
    explain,
    history,
    hosts,
    override,
    plan,
    record,
    replay,
    routes,
    schema,
    serve,
    simulate,
    steer,
    upgrade,
)

DESCRIPTION = "A strangler-fig reverse proxy: route by share, mirror, compare, take it back."

EPILOG = """\
exit codes:
  0  done
  1  refused: invalid, not there, or not allowed in the present state
  2  the command line cannot be understood
  3  the admin API cannot be reached

environment:
  CUTOVER_ADMIN_URL         where the admin API is (default http://127.0.0.1:8090)
  CUTOVER_ADMIN_TOKEN       its token, or
  CUTOVER_ADMIN_TOKEN_FILE  the file that holds it

COMMAND --help explains a command and shows examples.
"""


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands; `run` of what it gives is the command's function."""
    parser = argparse.ArgumentParser(
        prog="cutover",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        serve, upgrade, check, schema, explain, override, routes, hosts, steer, plan, simulate,
        diffs, compare, record, replay, history, document, audit, alerts, accounts,
    ):  # fmt: skip
        module.add_to(commands)
    return parser
