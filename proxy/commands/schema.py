"""`cutover schema`: the JSON Schema of the rules file, for editors."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context
from proxy.commands.output import print_line
from proxy.errors import RefusedError

if TYPE_CHECKING:
    from proxy.commands.command import Commands

EXAMPLES = """
cutover schema
cutover schema --output routing_rules.schema.json
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "print the JSON Schema of the rules file, for editors"
    parser = add_command(commands, "schema", run, summary, EXAMPLES, remote=False)
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to a file")


def run(args: argparse.Namespace, context: Context) -> int:
    """Print or write it."""
    from proxy.routing.json_schema import json_schema

    text = json.dumps(json_schema(), indent=2) + "\n"
    if args.output is None:
        context.out.write(text)
        return OK
    try:
        args.output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise RefusedError(f"{args.output}: {error.strerror}") from error
    if not args.json:
        print_line(context.out, f"written to {args.output}")
    return OK
