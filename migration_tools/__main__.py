"""The command line: `python -m migration_tools copy` and `python -m migration_tools verify`."""

from __future__ import annotations

import argparse
import os
import re
import sys
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from typing import Any, TextIO
from zoneinfo import ZoneInfo

import orjson
import uvloop
from rich.console import Console

from migration_tools.addresses import (
    SOURCE_VARIABLE,
    TARGET_VARIABLE,
    choose,
    source_address,
    target_address,
)
from migration_tools.data_migrator import DEFAULT_BATCH, CopyOptions, copy, verify
from migration_tools.errors import DATA_DISAGREES, CopyRefusedError, MigrationError
from migration_tools.mapping import TABLES, Table
from migration_tools.progress import Bars, Lines, Nobody, Watcher
from migration_tools.report import copy_json, copy_lines, verify_json, verify_lines

INTERRUPTED = 130


ADDRESSES = f"""
Addresses:
  mysql://user:password@host:3306/database            (or the variable {SOURCE_VARIABLE})
  postgresql://user:password@host:5432/database       (or the variable {TARGET_VARIABLE})
A password in a variable is not shown by ps; one in an option is.
"""
EXIT_CODES = """
Exit codes: 0 equal, 1 the data disagrees (rejected rows or differences), 2 could not run.
"""
COPY_EXAMPLES = """
Examples:
  python -m migration_tools copy --source mysql://legacy:…@127.0.0.1/legacy_billing \\
                                 --target postgresql://billing:…@127.0.0.1/billing
  python -m migration_tools copy --dry-run             everything but the commit
  python -m migration_tools copy --replace --max-rejected 25
  python -m migration_tools copy --zone Europe/Berlin --json
"""
VERIFY_EXAMPLES = """
Examples:
  python -m migration_tools verify
  python -m migration_tools verify --tables billing_history --json
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _copy(options) if options.command == "copy" else _verify(options)
    except CopyRefusedError as error:
        _say(options, copy_json(error.report) | {"error": str(error)}, copy_lines(error.report))
        _line(f"error: {error}", sys.stderr)
        return error.exit_code
    except MigrationError as error:
        _say(options, {"outcome": "error", "error": str(error)}, ())
        _line(f"error: {error}", sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        _line("stopped; nothing was committed", sys.stderr)
        return INTERRUPTED


def _copy(options: argparse.Namespace) -> int:
    decided = CopyOptions(
        tables=options.tables,
        zone=options.zone,
        batch_size=options.batch_size,
        max_rejected=options.max_rejected,
        replace=options.replace,
        dry_run=options.dry_run,
    )
    source = source_address(choose(options.source, SOURCE_VARIABLE, os.environ))
    target = target_address(choose(options.target, TARGET_VARIABLE, os.environ))
    with _watcher(options) as watcher:
        report = uvloop.run(copy(source, target, decided, watcher))
    _say(options, copy_json(report), copy_lines(report))
    if decided.dry_run and not options.json:
        _line("dry run: nothing was committed")
    return 0


def _verify(options: argparse.Namespace) -> int:
    source = source_address(choose(options.source, SOURCE_VARIABLE, os.environ))
    target = target_address(choose(options.target, TARGET_VARIABLE, os.environ))
    with _watcher(options) as watcher:
        report = uvloop.run(verify(source, target, options.tables, options.zone, watcher))
    _say(options, verify_json(report), verify_lines(report))
    return 0 if report.equal else DATA_DISAGREES


def _watcher(options: argparse.Namespace) -> Bars | nullcontext[Watcher]:
    if options.json:
        return nullcontext(Nobody())
    if sys.stderr.isatty():
        return Bars(Console(stderr=True))
    return nullcontext(Lines(sys.stderr, time.monotonic))


def _say(options: argparse.Namespace, machine: dict[str, Any], people: Iterable[str]) -> None:
    if options.json:
        _line(orjson.dumps(machine, option=orjson.OPT_INDENT_2).decode())
        return
    for line in people:
        _line(line)


def _line(text: str, out: TextIO | None = None) -> None:
    print(text, file=out or sys.stdout)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m migration_tools",
        description="Move the billing data from MariaDB or MySQL to PostgreSQL, and prove it.",
        epilog=ADDRESSES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    copying = _command(
        commands, "copy", "extract, transform and validate, load, verify", COPY_EXAMPLES
    )
    copying.add_argument(
        "--batch-size",
        type=_positive,
        default=DEFAULT_BATCH,
        metavar="ROWS",
        help="rows per batch; memory grows with it (default: %(default)s)",
    )
    copying.add_argument(
        "--max-rejected",
        type=_count,
        default=0,
        metavar="ROWS",
        help="rows that may be left in quarantine; more of them refuse the copy (default: 0)",
    )
    copying.add_argument(
        "--replace",
        action="store_true",
        help="empty the target's tables first, in the same transaction",
    )
    copying.add_argument(
        "--dry-run",
        action="store_true",
        help="do everything, verification included, but the commit",
    )
    _command(
        commands, "verify", "compare both databases and say where they differ", VERIFY_EXAMPLES
    )
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    examples: str,
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=summary.capitalize() + ".",
        epilog=examples + ADDRESSES + EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--source", metavar="ADDRESS", help="the legacy database")
    parser.add_argument("--target", metavar="ADDRESS", help="the modern database")
    parser.add_argument(
        "--tables",
        type=_tables,
        default=TABLES,
        metavar="NAME,…",
        help=f"only these (default: {','.join(table.name for table in TABLES)})",
    )
    parser.add_argument(
        "--zone",
        type=_zone,
        default="UTC",
        metavar="NAME",
        help="the zone that the legacy application's DATE and DATETIME values mean (default: UTC)",
    )
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    return parser


def _tables(text: str) -> tuple[Table, ...]:
    names = {name.strip() for name in text.split(",") if name.strip()}
    if unknown := names - {table.name for table in TABLES}:
        known = ", ".join(table.name for table in TABLES)
        raise argparse.ArgumentTypeError(
            f"no table {', '.join(sorted(unknown))}; there are {known}"
        )
    if not names:
        raise argparse.ArgumentTypeError("names no table")
    return tuple(table for table in TABLES if table.name in names)


def _zone(text: str) -> ZoneInfo:
    # The name also goes into SQL, and a path is a valid key for ZoneInfo: hence the pattern.
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_+/-]*", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of a zone")
    try:
        return ZoneInfo(text)
    except (ValueError, OSError, KeyError) as error:
        raise argparse.ArgumentTypeError(
            f"no zone {text!r}; write it like Europe/Berlin"
        ) from error


def _positive(text: str) -> int:
    if (value := _count(text)) == 0:
        raise argparse.ArgumentTypeError("is at least 1")
    return value


def _count(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
