"""`cutover diffs export`: coverage and differences as one file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from proxy.commands.command import add_command
from proxy.commands.context import OK, Context, segment
from proxy.commands.diffs_filters import ALL, add_filters, query_of
from proxy.commands.output import print_line
from proxy.errors import SettingsError

if TYPE_CHECKING:
    from proxy.commands.command import Commands

FORMS = {
    "html": "one page that needs nothing else, to attach to a ticket",
    "json": "everything, for scripts",
    "csv": "a line for each group, for a spreadsheet",
    "curl": "a shell script that asks once more",
    "pytest": "tests that expect of modern what legacy answered",
}
EXAMPLES = """
cutover diffs export 9f1c2ab4d0e17735 --html --out ticket-17.html
cutover diffs export 9f1c2ab4d0e17735 --pytest --out test_prices.py
cutover diffs export --route plans --csv
"""


def add_to(commands: Commands) -> None:
    """Add the command."""
    summary = "write differences into one file; secrets are redacted"
    parser = add_command(commands, "export", export, summary, EXAMPLES, json=False, inner=True)
    parser.add_argument(
        "signature", nargs="?", metavar="SIGNATURE", help="one group with all its samples"
    )
    kinds = parser.add_mutually_exclusive_group()
    for form, meaning in FORMS.items():
        kinds.add_argument(f"--{form}", dest="form", action="store_const", const=form, help=meaning)
    parser.set_defaults(form="html")
    add_filters(parser, state=ALL, limit=100)
    parser.add_argument("--out", type=Path, metavar="FILE", help="where to (default: what you see)")


def export(args: argparse.Namespace, context: Context) -> int:
    """Fetch a file and write it."""
    client = context.connect(args.admin)
    if args.signature is not None:
        text = client.text(f"/differences/{segment(args.signature)}/export", **{"as": args.form})
    else:
        text = client.text("/differences/export", **{"as": args.form, **query_of(args)})
    if args.out is None:
        context.out.write(text)
        return OK
    try:
        args.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"--out {args.out}: {error.strerror}") from error
    print_line(context.err, f"{args.out}: {len(text.encode())} bytes")
    return OK
