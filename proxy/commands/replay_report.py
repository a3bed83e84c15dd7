"""How a replay has ended."""

from __future__ import annotations

import argparse
from dataclasses import replace

from proxy.admin.console import wording
from proxy.commands.context import OK, Context
from proxy.commands.output import print_line, print_table
from shadow_compare.replay.run import Replay
from shadow_compare.report import Report
from shadow_compare.report.coverage import whole
from shadow_compare.report.export import FORMATS, Document

BEYOND = 1
GROUPS_MAX = 200
SAMPLES_EACH = 3


async def conclude(
    args: argparse.Namespace,
    context: Context,
    report: Report,
    replay: Replay,
    tolerated: float,
) -> int:
    """Print and write the report; gives the exit code by the thresholds."""
    coverage = await report.coverage()
    found = await report.signatures(limit=GROUPS_MAX + 1)
    details = []
    for summary in found[:GROUPS_MAX]:
        detail = await report.signature(summary.id)
        if detail is not None:
            details.append(replace(detail, samples=detail.samples[:SAMPLES_EACH]))
    notes = list(replay.notes)
    if replay.without:
        sent = wording.plural(replay.without, "request")
        notes.insert(0, f"Sent without the cookies or credentials that the recording hides: {sent}")
    if args.writes is not None:
        notes.insert(0, f"Writes were sent to both sides: {args.writes}")
    if len(found) > GROUPS_MAX:
        notes.append("There are more groups of differences than are in this report.")
    document = Document(
        f"Replay of {args.files[0].name}{_others(args)}", context.now(), coverage, details, 0, notes
    )
    if args.html is not None:
        args.html.write_text(FORMATS["html"].write(document), encoding="utf-8")
    if args.json:
        context.out.write(FORMATS["json"].write(document))
    else:
        _print(context, document)
    total = whole(coverage)
    rate = total.mismatch / total.compared if total.compared else 1.0
    good = total.compared >= args.min_compared and rate <= tolerated
    if not good:
        told = f"{wording.percent(rate)} of {wording.plural(total.compared, 'pair')} differ"
        limits = f"at most {args.max_mismatch} of at least {wording.count(args.min_compared)}"
        print_line(context.err, f"cutover: {told if total.compared else 'nothing was compared'};"
                                f" tolerated: {limits}")  # fmt: skip
    return OK if good else BEYOND


def _others(args: argparse.Namespace) -> str:
    more = len(args.files) - 1
    return f" and {wording.plural(more, 'other')}" if more else ""


def _print(context: Context, document: Document) -> None:
    rows = [
        (each.route, method, status, f"{wording.count(cell.compared)} of "
         f"{wording.count(cell.eligible)}", wording.count(cell.mismatch),
         ", ".join(f"{wording.count(n)} {why}" for why, n in sorted(cell.not_compared.items())))
        for each in document.coverage
        for (method, status), cell in sorted(each.cells.items())
    ]  # fmt: skip
    columns = ("ROUTE", "METHOD", "STATUS", ">COMPARED", ">DIFFER", "NOT COMPARED")
    print_table(context.out, columns, rows)
    if document.details:
        print_line(context.out)
        groups = [
            (g.route, ", ".join(g.paths[:3]), ", ".join(g.kinds), wording.count(g.count),
             wording.percent(g.rate))
            for g in (detail.summary for detail in document.details)
        ]  # fmt: skip
        print_table(context.out, ("ROUTE", "WHERE", "WHAT", ">COUNT", ">RATE"), groups)
    for note in document.notes:
        print_line(context.out, f"note: {note}")
