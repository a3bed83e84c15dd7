"""How a replay is going, and how it ended."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from proxy.admin.console import wording
from proxy.commands.context import OK, Context
from proxy.commands.output import print_line, print_table
from shadow_compare.replay.recorded import Unreadable
from shadow_compare.report import Report, SignatureDetail
from shadow_compare.report.coverage import whole
from shadow_compare.report.export import FORMATS, Document

BEYOND = 1
GROUPS_MAX = 200
SAMPLES_EACH = 3


class Bar:
    """A progress bar on a terminal; nothing anywhere else."""

    def __init__(self, stream: TextIO, size: int) -> None:
        self._progress = Progress(
            TextColumn("{task.fields[asked]} asked"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("bytes,"),
            TimeRemainingColumn(),
            console=Console(file=stream),
            disable=not stream.isatty(),
        )
        self._task = self._progress.add_task("", total=size, asked=0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def move(self, read: int, asked: int) -> None:
        """Show how many bytes were read, and how many requests were sent."""
        self._progress.update(self._task, completed=read, asked=asked)


async def conclude(
    args: argparse.Namespace,
    context: Context,
    report: Report,
    unreadable: Sequence[Unreadable],
    tolerated: float,
) -> int:
    """Print and write the report; gives the exit code by the thresholds."""
    coverage = await report.coverage()
    found = await report.signatures(limit=GROUPS_MAX + 1)
    details = []
    for summary in found[:GROUPS_MAX]:
        detail = await report.signature(summary.id)
        if detail is not None:
            details.append(SignatureDetail(detail.summary, detail.samples[:SAMPLES_EACH]))
    notes = [f"{args.file.name}:{each.place}: {each.why}" for each in unreadable]
    if args.writes is not None:
        notes.insert(0, f"Writes were sent to both sides: {args.writes}")
    if len(found) > GROUPS_MAX:
        notes.append("There are more groups of differences than are in this report.")
    document = Document(f"Replay of {args.file.name}", context.now(), coverage, details, 0, notes)
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
