"""The command line as a whole: which commands there are and what they share."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

from proxy.commands.context import Context

if TYPE_CHECKING:  # the class is private to argparse, and generic only for type checkers
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

Run = Callable[[argparse.Namespace, Context], int]

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
    from proxy.commands import check, diffs, explain, history, routes, serve, steer

    parser = argparse.ArgumentParser(
        prog="cutover",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (serve, check, explain, routes, steer, diffs, history):
        module.add_to(commands)
    return parser


def add_command(
    commands: Commands,
    name: str,
    run: Run,
    summary: str,
    examples: str,
    *,
    remote: bool = True,
    json: bool = True,
) -> argparse.ArgumentParser:
    """Add one command with the options that all of its kind have."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(examples).strip("\n"), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    if remote:
        parser.add_argument("--admin", metavar="URL", help="the admin API to talk to")
    if json:
        parser.add_argument("--json", action="store_true", help="print JSON for scripts")
    return parser
