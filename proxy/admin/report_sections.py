"""A cutover report as titles, sentences and tables: page, PDF and API say the same (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from proxy.admin.console import wording
from proxy.admin.console.sentences import sentence
from proxy.admin.cutover_report import CutoverReport
from proxy.admin.series import Series
from proxy.control.interval import SideCounts
from proxy.rollout.sketch import quantile
from shadow_compare.report import SignatureSummary, State
from shadow_compare.report.interval import rate_of

ROLLBACKS = ("rollback", "freeze", "halt_writes")


@dataclass(frozen=True, slots=True)
class Section:
    """Sentences, and a table under them; without columns the rows are pairs of name and value.

    A column whose title begins with `>` holds numbers.
    """

    title: str
    text: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def title_of(report: CutoverReport) -> str:
    """Name a report."""
    return f"Cutover report: {report.route.id}"


def sections(report: CutoverReport) -> tuple[Section, ...]:
    """Say everything that a report holds."""
    return (
        _standing(report),
        _compared(report),
        _by_kind(report),
        _open(report),
        _sides(report),
        _accepted(report),
        _decided(report),
    )


def report_plain(report: CutoverReport) -> dict[str, Any]:
    """As the JSON of the API."""
    return {
        "route": report.route.id,
        "at": wording.iso(report.at),
        "version": report.version.number,
        "title": title_of(report),
        "sections": [
            {**asdict(each), "columns": [name.removeprefix(">") for name in each.columns]}
            for each in sections(report)
        ],
    }


def _standing(report: CutoverReport) -> Section:
    route, version = report.route, report.version
    observed = wording.percent(route.weight_observed)
    rows = [
        ("Route", f"{' '.join(route.methods) or 'any method'} {route.path}"),
        ("Phase", route.phase.replace("_", " ").lower()),
        (
            "Weight on modern",
            f"{wording.weight(route.weight_configured)} configured, "
            f"{wording.weight(route.weight_in_force)} in force, {observed} observed",
        ),
        ("Verdict now", f"{route.verdict.lower()}: {route.verdict_reason}"),
        ("Plan", _plan(report)),
        ("On breach", route.on_breach),
        (
            "Rules",
            f"version {version.number}, by {version.author}, {wording.utc(version.at)}: "
            f"{version.reason}",
        ),
        ("Made", wording.utc(report.at)),
    ]
    if route.rolled_back is not None:
        back = route.rolled_back
        told = f"{wording.utc(back.at)} by {back.author}: {back.reason}"
        rows.insert(2, ("Rolled back", told))
    return Section("How it stands", rows=tuple(rows))


def _plan(report: CutoverReport) -> str:
    progress = report.route.progress
    if report.route.plan is None or progress is None:
        return "none; the weight is set by hand"
    steps = " > ".join(
        f"[{wording.weight(weight)}]" if at == progress.step else wording.weight(weight)
        for at, weight in enumerate(progress.weights, start=1)
    )
    waits = f"; waits for {'; '.join(progress.waits)}" if progress.waits else ""
    return f"{report.route.plan}: {steps}{waits}"


def _compared(report: CutoverReport) -> Section:
    found = report.coverage
    if not found.compared:
        said = "Nothing was compared, so nothing is known about whether the answers are the same."
        return Section("What was compared", (said,))
    rate = rate_of(found.match + found.ignored, found.compared)
    assert rate is not None  # noqa: S101 - something was compared
    excused = {r: found.ignored_by_reason.get(r, 0) for r in ("noise", "race")}
    text = (
        f"{wording.count(found.compared)} of {wording.count(found.eligible)} mirrored answers were "
        f"compared ({wording.percent(found.compared / found.eligible)}); "
        f"{wording.percent(report.route.mirror_share)} of the requests are mirrored"
        f"{', writes too' if report.route.mirrors_writes else ', no writes'}.",
        f"{wording.percent(rate.value)} of them are the same, with 95% certainty between "
        f"{wording.percent(rate.low)} and {wording.percent(rate.high)}.",
    )
    rows = [
        ("Equal", found.match),
        ("Equal under the rules", found.ignored - sum(excused.values())),
        ("Excused as noise", excused["noise"]),
        ("Equal when asked again", excused["race"]),
        ("Different", found.mismatch),
        *((f"Not compared: {why.replace('_', ' ')}", n) for why, n in _most(found.not_compared)),
    ]
    shown = tuple((name, wording.count(n), wording.percent(n / found.eligible)) for name, n in rows)
    return Section("What was compared", text, ("Answers", ">Number", ">Of mirrored"), shown)


def _by_kind(report: CutoverReport) -> Section:
    rows = tuple(
        (
            method,
            status or wording.NOTHING,
            wording.count(cell.compared),
            wording.count(cell.mismatch),
            wording.percent(cell.match_rate),
            wording.count(sum(cell.not_compared.values())),
        )
        for (method, status), cell in sorted(report.coverage.cells.items())
    )
    columns = ("Method", "Status", ">Compared", ">Different", ">Same", ">Not compared")
    said = () if rows else ("Nothing was counted by method and status.",)
    return Section("By method and status", said, columns if rows else (), rows)


def _open(report: CutoverReport) -> Section:
    groups = report.groups
    opened = [each for each in groups if each.state == State.OPEN]
    critical = sum(each.critical for each in opened)
    expected = sum(each.state == State.EXPECTED for each in groups)
    fixed = sum(each.state == State.FIXED for each in groups)
    said = (
        f"{wording.plural(len(opened), 'group')} of differences open, {critical} of them critical; "
        f"{expected} accepted as expected, {fixed} marked as fixed."
        f"{' There are more than were looked at.' if report.more_groups else ''}",
    )
    columns = ("Where", "What", ">Seen", ">Of compared", "Last seen")
    return Section("Open differences", said, columns if opened else (), tuple(map(_group, opened)))


def _group(found: SignatureSummary) -> tuple[str, ...]:
    more = f" and {len(found.paths) - 1} more" if len(found.paths) > 1 else ""
    critical = "critical; " if found.critical else ""
    return (
        f"{found.paths[0]}{more}",
        critical + ", ".join(found.kinds).replace("_", " "),
        wording.count(found.count),
        wording.percent(found.rate),
        wording.utc(found.last_seen),
    )


def _sides(report: CutoverReport) -> Section:
    rows = tuple(row for series in report.series for row in _measured(series))
    columns = ("Over", "Side", ">Requests", ">Errors", ">Error rate", ">p50", ">p95", ">p99")
    said = () if rows else ("Nothing was measured in the last two weeks.",)
    return Section("Errors and latency", said, columns if rows else (), rows)


def _measured(series: Series) -> Iterator[tuple[str, ...]]:
    for side in ("legacy", "modern"):
        counts: list[SideCounts] = [getattr(each, side) for each in series.intervals]
        bad = sum(each.bad for each in counts)
        asked = bad + sum(each.ok for each in counts)
        if not asked:
            continue
        latencies = series.latencies(side)
        yield (
            wording.duration(series.range.seconds),
            side,
            wording.count(asked),
            wording.count(bad),
            wording.percent(bad / asked),
            *(wording.latency(quantile(latencies, share)) for share in (0.5, 0.95, 0.99)),
        )


def _accepted(report: CutoverReport) -> Section:
    rows = tuple(
        (
            rule.path,
            rule.reason,
            rule.owner or wording.NOTHING,
            rule.until.isoformat() if rule.until else "no end",
            wording.count(rule.hits),
        )
        for rule in report.rules
    )
    columns = ("Place", "Reason", "Owner", "Until", ">Ruled out")
    said = () if rows else ("No difference is ruled out on this route.",)
    return Section("Accepted differences", said, columns if rows else (), rows)


def _decided(report: CutoverReport) -> Section:
    back = sum(each.action in ROLLBACKS for each in report.decisions)
    more = " of the last ones; there are older" if report.more_decisions else ""
    said = (
        f"{wording.plural(len(report.decisions), 'decision')}{more}, {back} of them a rollback, a "
        "freeze, or a halt of mirrored writes.",
    )
    rows = tuple(
        (wording.utc(each.at), sentence(each), each.author, str(each.version))
        for each in report.decisions
    )
    columns = ("At", "What", "By", ">Version") if rows else ()
    return Section("Rollbacks and decisions", said, columns, rows)


def _most(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
