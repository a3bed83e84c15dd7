"""`python -m shadow_compare compare A B`: the comparison of the shadow workers, over two files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from shadow_compare.compare import compare_json
from shadow_compare.difference import ABSENT, Difference
from shadow_compare.json_value import Json, parse_json, write_json
from shadow_compare.paths import path_text
from shadow_compare.rules import NAMES, CompareRules
from shadow_compare.text import storable
from shadow_compare.verdict import Comparison, Verdict

EQUAL, DIFFERENT, NOT_COMPARABLE = 0, 1, 2

_EXAMPLES = """\
examples:
  python -m shadow_compare compare legacy.json modern.json
  python -m shadow_compare compare legacy.json modern.json \\
      --equivalence number_as_string --equivalence php_datetime --zone Europe/Berlin \\
      --ignore '$.meta.generated_at' --key '$.data=id' --json

exit codes: 0 the same, 1 different, 2 not comparable (or wrong usage)
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit code."""
    options = _parser().parse_args(arguments)
    try:
        rules = CompareRules.build(
            arrays=map(_key, options.key),
            ignore=[{"path": path} for path in options.ignore],
            equivalences=options.equivalence,
            zone=options.zone,
        )
        old, new = _read(options.old), _read(options.new)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"shadow_compare: {error}\n")
        return NOT_COMPARABLE
    comparison = compare_json(old, new, rules, datetime.now(UTC).date())
    sys.stdout.write(_as_json(comparison) if options.json else _as_text(comparison))
    return _exit_code(comparison.verdict)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m shadow_compare", description="Tell whether two answers say the same thing."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    compare = commands.add_parser(
        "compare",
        help="compare two JSON files",
        description="Compare two JSON files as a shadow worker compares two answers.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    compare.add_argument("old", type=Path, metavar="FILE_A", help="what legacy answered")
    compare.add_argument("new", type=Path, metavar="FILE_B", help="what modern answered")
    compare.add_argument(
        "--equivalence",
        action="append",
        default=[],
        metavar="NAME",
        choices=NAMES,
        help=f"a spelling that makes no difference, repeatable: {', '.join(NAMES)}",
    )
    compare.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="PATH",
        help="a path that does not count, such as $.meta.generated_at, repeatable",
    )
    compare.add_argument(
        "--key",
        action="append",
        default=[],
        metavar="PATH=MEMBER",
        help="match the elements of an array by a member, such as $.data=id, repeatable",
    )
    compare.add_argument(
        "--zone", default="UTC", help="time zone of times without one (default: UTC)"
    )
    compare.add_argument("--json", action="store_true", help="print one JSON object")
    return parser


def _key(text: str) -> tuple[str, str]:
    path, _, member = text.partition("=")
    if not member:
        raise ValueError(f"`{text}` is not PATH=MEMBER, such as $.data=id")
    return path, member


def _read(path: Path) -> bytes:
    body = path.read_bytes()
    try:
        parse_json(body)
    except ValueError as error:
        raise ValueError(f"{path}: not comparable as JSON: {error}") from error
    return body


def _exit_code(verdict: Verdict) -> int:
    if verdict is Verdict.NOT_COMPARED:
        return NOT_COMPARABLE
    return DIFFERENT if verdict is Verdict.MISMATCH else EQUAL


def _as_text(comparison: Comparison) -> str:
    reason = f" ({comparison.reason})" if comparison.reason else ""
    lines = [f"{comparison.verdict.name}{reason}"]
    for difference in comparison.differences:
        lines.append(f"  {difference.kind:14} {path_text(difference.path)}")
        lines.append(f"      old: {_value(difference.old)}")
        lines.append(f"      new: {_value(difference.new)}")
    lines += [f"  fired          {rule}: {times}" for rule, times in comparison.fired]
    return storable("\n".join([*lines, ""]))


def _value(value: Json) -> str:
    return "(absent)" if value is ABSENT else write_json(value)


def _as_json(comparison: Comparison) -> str:
    plain = {
        "verdict": comparison.verdict,
        "reason": comparison.reason,
        "differences": list(map(_plain, comparison.differences)),
        "ignored": list(map(_plain, comparison.ignored)),
        "fired": dict(comparison.fired),
    }
    return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE).decode()


def _plain(difference: Difference) -> dict[str, Any]:
    """Give a difference with its values as JSON text, null where there is nothing."""
    values = (
        None if value is ABSENT else storable(write_json(value))
        for value in (difference.old, difference.new)
    )
    old, new = values
    return {"kind": difference.kind, "path": path_text(difference.path), "old": old, "new": new}


if __name__ == "__main__":
    sys.exit(main())
