"""Tables and figures of the rollback bench."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from bench.rollback.detection import Detected
from bench.rollback.false_alarms import Alarms
from bench.rollback.live import Run
from bench.rollback.sides import Trouble
from bench.stats import percentile

OFF_MOST = 0.15
"""By how much a mean may be above the published one."""

PEERS = """\
What others document, at their fastest and by default (they judge at each scrape or analysis run):
  Flagger         10 s x threshold of failed checks at its floor, 60 s x threshold by default
  Argo Rollouts   interval x failureLimit of an analysis: 15 to 20 min in the documented example"""


def detections(found: Sequence[Detected]) -> str:
    """Requests of modern until a regression is proved."""
    lines = [
        f"{'detector':10}{'regression':42}{'evidence':>9}{'mean':>8}{'p95':>7}{'least':>8}"
        f"{'published':>11}{'off':>7}"
    ]
    for each in found:
        case = each.case
        published = "" if case.published is None else f"{case.published:.0f}"
        off = "" if each.off is None else f"{each.off:+.0%}"
        lines.append(
            f"{case.detector:10}{case.regression:42}{case.limit:9.1e}{each.mean:8.1f}"
            f"{each.p95:7.0f}{case.least:8.1f}{published:>11}{off:>7}"
        )
    return "\n".join(lines)


def is_as_published(found: Sequence[Detected]) -> bool:
    """Whether no detector needs more requests than it should; fewer are welcome."""
    return all(each.off is None or each.off <= OFF_MOST for each in found)


def detection_figures(found: Sequence[Detected]) -> dict[str, float]:
    """Means and 95th percentiles, keyed by detector, regression and evidence."""
    figures: dict[str, float] = {}
    for each in found:
        case = each.case
        rate = case.regression.partition("%")[0]
        name = f"{case.detector}_{rate}_percent_at_{case.limit:.1e}".replace("+", "")
        figures[f"{name}_requests_mean"] = round(each.mean, 1)
        figures[f"{name}_requests_p95"] = float(each.p95)
    return figures


def alarms(found: Alarms) -> str:
    """What was asked for although nothing was wrong."""
    rollbacks, holds = _by_detector(found.rollbacks), _by_detector(found.holds)
    return (
        f"false alarms in {found.requests:.2e} requests of modern at half of every threshold"
        f" ({found.raw_failures / found.requests:.2%} failed, retries included):"
        f" rollbacks {rollbacks}, holds {holds}"
    )


def alarm_figures(found: Alarms) -> dict[str, float]:
    """How many there were."""
    return {
        "false_alarms": float(sum(found.rollbacks.values())),
        "false_holds": float(sum(found.holds.values())),
        "false_alarms_requests": float(found.requests),
    }


def runs(found: Mapping[Trouble, Sequence[Run]]) -> str:
    """How soon modern was taken back."""
    lines = [
        f"{'modern is':10}{'runs':>5}{'ms p50':>9}{'ms p95':>9}{'ms max':>9}{'requests p50':>14}"
        f"{'p95':>6}{'failed p50':>12}{'p95':>6}{'clients saw':>13}  proved by"
    ]
    for trouble, each in found.items():
        ms, routed, failed = _columns(each)
        proved = Counter(run.detector for run in each)
        lines.append(
            f"{trouble:10}{len(each):5}{_at(ms, 0.5):9.0f}{_at(ms, 0.95):9.0f}{_at(ms, 1.0):9.0f}"
            f"{_at(routed, 0.5):14.0f}{_at(routed, 0.95):6.0f}{_at(failed, 0.5):12.0f}"
            f"{_at(failed, 0.95):6.0f}{sum(run.seen for run in each):13}"
            f"  {', '.join(f'{name} {n}' for name, n in proved.most_common())}"
        )
    return "\n".join([*lines, "", PEERS])


def run_figures(found: Mapping[Trouble, Sequence[Run]]) -> dict[str, float]:
    """Medians and 95th percentiles, keyed by trouble."""
    figures: dict[str, float] = {}
    for trouble, each in found.items():
        ms, routed, failed = _columns(each)
        name = f"{trouble}_side"
        figures |= {
            f"{name}_rollback_ms_p50": round(_at(ms, 0.5), 1),
            f"{name}_rollback_ms_p95": round(_at(ms, 0.95), 1),
            f"{name}_routed_requests_p50": _at(routed, 0.5),
            f"{name}_failed_requests_p50": _at(failed, 0.5),
            f"{name}_failed_requests_p95": _at(failed, 0.95),
            f"{name}_errors_seen_by_clients": float(sum(run.seen for run in each)),
        }
    return figures


def _columns(each: Sequence[Run]) -> tuple[list[float], list[float], list[float]]:
    takes: tuple[Callable[[Run], float], ...] = (
        lambda run: run.seconds * 1000,
        lambda run: float(run.routed),
        lambda run: float(run.failed),
    )
    ms, routed, failed = (sorted(map(take, each)) for take in takes)
    return ms, routed, failed


def _at(ordered: list[float], share: float) -> float:
    return percentile(ordered, share)


def _by_detector(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {n}" for name, n in sorted(counts.items())) or "none"
