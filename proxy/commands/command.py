"""One command of the command line: what all of a kind have in common."""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from proxy.commands.context import Context

if TYPE_CHECKING:  # the class is private to argparse, and generic only for type checkers
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

Run = Callable[[argparse.Namespace, Context], int]


def add_command(
    commands: Commands,
    name: str,
    run: Run,
    summary: str,
    examples: str,
    *,
    remote: bool = True,
    json: bool = True,
    inner: bool = False,
) -> argparse.ArgumentParser:
    """Add one command with the options that all of its kind have.

    An `inner` one, a command of a command, leaves alone what was given before its own name.
    """
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog="examples:\n" + textwrap.indent(textwrap.dedent(examples).strip("\n"), "  "),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    defaults: dict[str, Any] = {"default": argparse.SUPPRESS} if inner else {}
    if remote:
        parser.add_argument("--admin", metavar="URL", help="the admin API to talk to", **defaults)
    if json:
        help_ = "print JSON for scripts"
        parser.add_argument("--json", action="store_true", help=help_, **defaults)
    return parser
