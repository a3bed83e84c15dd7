"""What an alert says: what happened, why, what was done, and where to look (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final

from proxy.control.status import DecisionRecord

AUTOMATIC: Final = frozenset({"cutover", "plan"})
"""Authors of what nobody asked for."""


class Severity(IntEnum):
    """How much it matters, in the words of PagerDuty."""

    INFO = 0
    WARNING = 1
    ERROR = 2
    CRITICAL = 3


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that people should know.

    `topic` is what it is about: a later alert of the same topic follows this one, and one that
    `resolves` ends it. `command` shows more on the command line, `page` is a path of the console.
    """

    event: str
    severity: Severity
    title: str
    why: str
    done: str
    command: str
    page: str
    at: float
    topic: str
    resolves: bool = False
    route: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Words:
    severity: Severity
    title: str
    done: str
    topic: str
    resolves: bool = False


_HELD: Final = "Legacy serves the whole route, on every worker, until somebody resumes it."

_WORDS: Final[Mapping[str, _Words]] = {
    "rollback": _Words(Severity.CRITICAL, "{route} was rolled back to legacy", _HELD, "rollback"),
    "freeze": _Words(
        Severity.CRITICAL,
        "{route} passed a limit and stays at its weight",
        "Nothing was changed, as `on_breach: freeze` says. Roll it back by hand, or mend modern.",
        "rollback",
    ),
    "resume": _Words(
        Severity.INFO, "{route} moves again", "Modern is sent its share.", "rollback", True
    ),
    "halt_writes": _Words(
        Severity.ERROR,
        "writes of {route} are mirrored no more",
        "No client is affected. Mirroring of writes is off until somebody resumes it.",
        "writes",
    ),
    "resume_writes": _Words(
        Severity.INFO, "writes of {route} are mirrored again", "Mirroring is on.", "writes", True
    ),
    "kill": _Words(
        Severity.CRITICAL,
        "the kill switch is on",
        "Legacy serves everything, on every worker, whatever the rules say.",
        "kill",
    ),
    "unkill": _Words(
        Severity.INFO, "the kill switch is off", "The rules decide again.", "kill", True
    ),
    "advance": _Words(Severity.INFO, "{route} has taken a step of its plan", "", "step"),
    "hold": _Words(Severity.INFO, "the plan of {route} is on hold", "Its weight stays.", "step"),
    "release": _Words(Severity.INFO, "the plan of {route} goes on", "", "step"),
    "approve": _Words(Severity.INFO, "a step of {route} was approved", "", "step"),
    "deployed": _Words(Severity.INFO, "another modern was announced", "Evidence anew.", "step"),
    "pin": _Words(Severity.INFO, "an identity was pinned", "", "pin"),
    "unpin": _Words(Severity.INFO, "a pin was taken out", "", "pin"),
    "set_weight": _Words(Severity.INFO, "{route} has another weight", "", "step"),
    "load": _Words(Severity.INFO, "other rules are in force", "", "rules"),
    "import": _Words(Severity.INFO, "other rules are in force", "", "rules"),
    "revert": _Words(Severity.INFO, "earlier rules are in force again", "", "rules"),
}
"""What is said of a decision by its action; of any other action nothing is."""


def alert_of(decision: DecisionRecord) -> Alert | None:
    """Make the alert of a decision; None for one that nobody waits for.

    What an operator did by hand is told as a warning at most: somebody knows already.
    """
    words = _WORDS.get(decision.action)
    if words is None:
        return None
    severity = words.severity
    if decision.author not in AUTOMATIC:
        severity = min(severity, Severity.WARNING)
    about = decision.route or "all routes"
    weight = decision.evidence.get("weight")
    done = words.done
    if isinstance(weight, int) and words.topic == "step":
        done = f"{done} It is at {weight / 100:g}%.".strip()
    return Alert(
        event=decision.action,
        severity=severity,
        title=words.title.format(route=about),
        why=f"{decision.reason} (by {decision.author})",
        done=done or "See the decision.",
        command=f"cutover decisions {decision.id}",
        page=f"/decisions/{decision.id}",
        at=decision.at,
        topic=f"{words.topic}/{decision.route or '*'}",
        resolves=words.resolves,
        route=decision.route,
        details=_details(decision),
    )


def _details(decision: DecisionRecord) -> dict[str, Any]:
    """Give the numbers of the evidence; samples stay at home."""
    told = {"decision": decision.id, "version": decision.version}
    numbers = {
        name: value
        for name, value in decision.evidence.items()
        if isinstance(value, int | float | str) and name != "identity"
    }
    return {**told, **numbers}


def rules_refused(problem: str | None, at: float) -> Alert:
    """Say that the file on disk is refused; with None that it is in order again."""
    return Alert(
        event="rules_refused" if problem else "rules_accepted",
        severity=Severity.ERROR if problem else Severity.INFO,
        title=f"the rules file is {'refused' if problem else 'in order again'}",
        why=problem or "What was wrong has been mended.",
        done="The last good rules stay in force." if problem else "It is in force.",
        command="cutover check",
        page="/rules",
        at=at,
        topic="rules_refused/*",
        resolves=problem is None,
    )


def store_failed(problem: str | None, at: float) -> Alert:
    """Say that decisions cannot be written down; with None that they are again."""
    return Alert(
        event="store_failed" if problem else "store_works",
        severity=Severity.ERROR if problem else Severity.INFO,
        title=f"the store {'cannot be written' if problem else 'holds everything again'}",
        why=problem or "It can be written.",
        done="Decisions are taken as ever, and wait in memory."
        if problem
        else "Nothing is missing.",
        command="cutover routes",
        page="/",
        at=at,
        topic="store/*",
        resolves=problem is None,
    )


def trial(at: float, author: str) -> Alert:
    """Say that this is only a test."""
    return Alert(
        event="test",
        severity=Severity.INFO,
        title="this is a test of Cutover's alerts",
        why=f"{author} asked for it with `cutover alerts test`",
        done="Nothing happened to any route.",
        command="cutover routes",
        page="/",
        at=at,
        topic="test/*",
    )
