"""`cutover diff`, `revert`, `export` and `import`: the rules as one document with versions."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, Json, segment
from proxy.commands.output import print_block, print_json, print_line
from proxy.commands.signature import add_signature, signed
from proxy.errors import RefusedError

if TYPE_CHECKING:
    from proxy.commands.command import Commands

DIFF = """
cutover diff
cutover diff 41
cutover diff 38 41
"""
REVERT = """
cutover revert 38 --reason "the new plan was too fast"
"""
EXPORT = """
cutover export
cutover export --version 38 --output rules.yaml
"""
IMPORT = """
cutover import rules.yaml --reason "reviewed in ticket 812"
cutover import rules.yaml --if-version 41 --reason "reviewed in ticket 812"
cutover import rules.yaml --any-version --reason "whatever was changed meanwhile"
"""

ORIGIN: Final = re.compile(r"# exported from version (\d{1,15}) .*\r?\n", re.ASCII)
"""The first line of an exported file: what `import` compares with, and leaves out."""


def add_to(commands: Commands) -> None:
    """Add the commands."""
    summary = "show what a version changed, or what lies between two"
    parser = add_command(commands, "diff", diff, summary, DIFF)
    parser.add_argument("first", nargs="?", metavar="N", help="a version (default: in force)")
    parser.add_argument("second", nargs="?", metavar="M", help="compare N with this one")
    summary = "put the document of an earlier version in force; rollbacks stay"
    parser = add_command(commands, "revert", revert, summary, REVERT)
    parser.add_argument("number", metavar="N", help="the version")
    add_signature(parser)
    summary = "print the document in force, or that of a version"
    parser = add_command(commands, "export", export, summary, EXPORT)
    parser.add_argument("--version", metavar="N", help="this version's (default: in force)")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it to a file")
    summary = "put a document in force, unless the rules were changed since it was exported"
    parser = add_command(commands, "import", import_, summary, IMPORT)
    parser.add_argument("file", metavar="FILE", help="the rules")
    parser.add_argument("--any-version", action="store_true", help="whatever came since")
    add_signature(parser)


def diff(args: argparse.Namespace, context: Context) -> int:
    """Say what changed, then show the lines."""
    client = context.connect(args.admin)
    after, against = args.second or args.first, args.first if args.second else None
    if after is None:
        after = str(client.get("/status")["version"])
    found = client.get(f"/versions/{segment(after)}/diff", against=against)
    if args.json:
        print_json(context.out, found)
        return OK
    print_line(context.out, f"from version {found['before']} to version {found['after']}:")
    for change in found["changes"] or ["nothing that matters"]:
        print_line(context.out, f"  {change}")
    if found["diff"]:
        print_line(context.out)
        print_block(context.out, found["diff"].rstrip("\n"))
    return OK


def revert(args: argparse.Namespace, context: Context) -> int:
    """Put the document of an earlier version in force."""
    path = f"/versions/{segment(args.number)}/revert"
    client = context.connect(args.admin)
    record = client.send("POST", path, signed(args, context), args.if_version)
    return _done(args, context, record, f"the document of version {args.number} is in force again")


def export(args: argparse.Namespace, context: Context) -> int:
    """Print a document, with the version that it is."""
    client = context.connect(args.admin)
    number = args.version or str(client.get("/status")["version"])
    found = client.get(f"/versions/{segment(number)}")
    if args.json:
        print_json(context.out, found)
        return OK
    origin = f"# exported from version {found['number']} of {found['at']}\n"
    text = origin + ORIGIN.sub("", found["text"], count=1)
    if args.output is None:
        context.out.write(text)  # as it is, every character: it may become a file
        return OK
    try:
        args.output.write_bytes(text.encode())
    except OSError as error:
        raise RefusedError(f"{args.output}: {error.strerror}") from error
    print_line(context.out, f"version {found['number']} is written to {args.output}")
    return OK


def import_(args: argparse.Namespace, context: Context) -> int:
    """Validate a document here, for its own lines in the errors, and put it in force."""
    from proxy.commands.check import read_text
    from proxy.routing.schema import load_rules

    text = read_text(Path(args.file))
    load_rules(text, args.file)
    origin = ORIGIN.match(text)
    version = args.if_version
    if version is None and not args.any_version:
        if origin is None:
            raise RefusedError(
                f"{args.file} does not say from which version it was exported; name the version "
                "it was made from (--if-version N), or replace whatever is there (--any-version)"
            )
        version = int(origin[1])
    body = {"text": text[origin.end() if origin else 0 :], **signed(args, context)}
    record = context.connect(args.admin).send("PUT", "/rules", body, version)
    return _done(args, context, record, f"{args.file} is in force")


def _done(args: argparse.Namespace, context: Context, record: Json, sentence: str) -> int:
    if args.json:
        print_json(context.out, record)
        return OK
    print_line(context.out, f"{sentence} (version {record['number']})")
    for route in record["evidence"].get("still_rolled_back", ()):
        print_line(context.err, f"warning: {route} stays rolled back (cutover resume {route})")
    return OK
