"""Decisions in words: what happened, why, and on how much evidence, for somebody just woken up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from proxy.admin.console import wording
from proxy.control.status import DecisionRecord
from proxy.rollout.breach import Breach


@dataclass(frozen=True, slots=True)
class Measure:
    """How a detector's measurement reads: what it is, and how its value and bound are written.

    `has_window` is false where evidence accumulates for as long as it takes.
    """

    subject: str
    spell: Callable[[float], str]
    unit_of_n: str
    has_window: bool = True


def _odds(value: float) -> str:
    """Give accumulated evidence as a plain number, or as a power of ten where that is shorter."""
    return (
        f"{value:,.0f}"
        if abs(value) < 1e6
        else f"{value:.1e}".replace("e+0", "e").replace("e+", "e")
    )


MEASURES: dict[str, Measure] = {
    "error_rate": Measure("the error rate of modern", wording.percent, "request"),
    "p95": Measure("the p95 latency of modern", wording.latency, "request"),
    "mismatch_rate": Measure("the share of differing answers", wording.percent, "comparison"),
    "t1": Measure("the evidence of failure", _odds, "request", has_window=False),
    "t2": Measure("the evidence of failing more than legacy", _odds, "failure", has_window=False),
    "t3": Measure("the evidence of mirrored failures", _odds, "mirrored request", has_window=False),
    "t4": Measure("the evidence of differences", _odds, "comparison", has_window=False),
    "critical": Measure(
        "customers with a critical difference", "{:g}".format, "difference", has_window=False
    ),
    "t5": Measure("the evidence of slowness", _odds, "request", has_window=False),
    "denied": Measure("the evidence of lost sessions", _odds, "request", has_window=False),
}
"""By the detector's name in the evidence. An unknown detector is named as it names itself."""

_DONE: dict[str, str] = {
    "rollback": "rolled {route} back to legacy",
    "freeze": "froze {route} at its weight instead of rolling it back",
    "resume": "resumed {route}{to}",
    "advance": "took the next step of the plan of {route}{to}",
    "hold": "put the plan of {route} on hold",
    "release": "let the plan of {route} go on",
    "approve": "approved the step that {route} stands on",
    "pin": "held an identity on one side",
    "unpin": "let an identity go where its bucket sends it",
    "set_weight": "set the weight of {route}{to}",
    "kill": "turned the kill switch on: legacy answers everything",
    "unkill": "turned the kill switch off: the rules decide again",
    "record": "began to record traffic",
    "record_end": "ended the recording of traffic",
    "halt_writes": "stopped mirroring the writes of {route}",
    "deployed": "took note of another release of modern",
    "resume_writes": "had the writes of {route} mirrored again",
    "ignore": "ruled differences of {route} out",
    "compare": "changed how answers of {route} are compared",
    "account_add": "added an account",
    "account_role": "gave an account another role",
    "account_remove": "took an account away",
    "replay_start": "began to replay recorded traffic to both sides",
    "replay_stop": "stopped a replay",
    "load": "put other rules in force",
}

ACTIONS: Final = tuple(sorted({*_DONE, "import", "revert"}))
"""Everything that can be on record."""

_NAMES = {
    "cutover": "Cutover",
    "file": "An edit of the rules file",
    "host": "A command on the host",
    "plan": "The plan",
}


def sentence(decision: DecisionRecord) -> str:
    """Say one decision completely: its evidence in numbers, or else its reason as it was given."""
    done = _DONE.get(decision.action, decision.action.replace("_", " ") + " {route}")
    told = done.format(route=decision.route or "everything", to=_to(decision.evidence))
    first = f"{_who(decision)} {told}"
    why = because(decision.evidence)
    if why:
        return f"{first}, because {why}."
    return f"{first}. Reason: {decision.reason}" if decision.reason else f"{first}."


def because(evidence: Mapping[str, Any]) -> str:
    """Say what was measured against which bound and on what sample; empty without a detector."""
    detector = evidence.get("detector")
    value, bound = evidence.get("value"), evidence.get("bound")
    if not isinstance(detector, str) or not _is_number(value) or not _is_number(bound):
        return ""
    measure = measure_of(detector)
    breach = Breach.of_evidence(evidence)
    if not measure.has_window and breach is not None:
        return str(breach)
    text = (
        f"{measure.subject} was {measure.spell(value)}, above the limit of {measure.spell(bound)}"
    )
    return text + _sample(evidence, measure)


def measure_of(detector: str) -> Measure:
    """How the values of this detector are to be read."""
    return MEASURES.get(detector, Measure(detector.replace("_", " "), "{:g}".format, "event"))


def is_automatic(decision: DecisionRecord) -> bool:
    """Whether a detector took the decision, not a person."""
    return bool(decision.evidence.get("detector"))


def _sample(evidence: Mapping[str, Any], measure: Measure) -> str:
    """Say the sample size and the window, as far as the evidence has them."""
    n, window = evidence.get("n"), evidence.get("window")
    text = f", in {wording.plural(n, measure.unit_of_n)}" if isinstance(n, int) else ""
    if not measure.has_window or not _is_number(window):
        return text
    return f"{text} within {wording.duration(window)}"


def _who(decision: DecisionRecord) -> str:
    """Name who decided; the controller itself and the rules file have names of their own."""
    if is_automatic(decision):
        return "Cutover"
    return _NAMES.get(decision.author, decision.author or "Somebody")


def _to(evidence: Mapping[str, Any]) -> str:
    before, after = evidence.get("previous"), evidence.get("weight")
    if not isinstance(after, int):
        return ""
    start = f" from {wording.weight(before)}" if isinstance(before, int) else ""
    return f"{start} {'to' if start else 'at'} {wording.weight(after)}"


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
