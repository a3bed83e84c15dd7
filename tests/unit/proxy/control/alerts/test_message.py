from __future__ import annotations

import pytest

from proxy.control.alerts.message import (
    Severity,
    alert_of,
    rules_refused,
    store_failed,
    trial,
)
from proxy.control.status import DecisionRecord

EVIDENCE = {
    "detector": "error_rate", "value": 0.125, "bound": 0.05, "n": 96, "weight": 1000,
    "samples": [{"path": "/api/plans"}], "identity": "header:X-Customer=17",
}  # fmt: skip


def decision(action: str = "rollback", author: str = "cutover") -> DecisionRecord:
    """Give a decision about one route."""
    reason = "error rate of 12.5% over 96 requests is above 5.00%"
    return DecisionRecord(17, 1_790_000_000.25, "plans", action, author, reason, 41, EVIDENCE)


def test_a_rollback_says_what_why_what_was_done_and_where_to_look() -> None:
    """In words that need no manual at three in the morning."""
    alert = alert_of(decision())
    assert alert is not None
    assert alert.severity is Severity.CRITICAL
    assert alert.title == "plans was rolled back to legacy"
    assert alert.why.startswith("error rate of 12.5% over 96 requests is above 5.00% (by cutover)")
    assert "until somebody resumes it" in alert.done
    assert (alert.command, alert.page) == ("cutover decisions 17", "/decisions/17")


def test_numbers_go_along_and_neither_samples_nor_identities() -> None:
    """What is about users stays in the journal."""
    alert = alert_of(decision())
    assert alert is not None
    assert alert.details == {
        "decision": 17, "version": 41, "detector": "error_rate", "value": 0.125, "bound": 0.05,
        "n": 96, "weight": 1000,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("action", "author", "severity"),
    [
        ("rollback", "cutover", Severity.CRITICAL),
        ("rollback", "ada", Severity.WARNING),
        ("freeze", "cutover", Severity.CRITICAL),
        ("halt_writes", "cutover", Severity.ERROR),
        ("kill", "ada", Severity.WARNING),
        ("advance", "plan", Severity.INFO),
        ("resume", "plan", Severity.INFO),
        ("deployed", "ci", Severity.INFO),
        ("ignore", "ada", None),
        ("something-new", "cutover", None),
    ],
)
def test_how_much_it_matters(action: str, author: str, severity: Severity | None) -> None:
    """What somebody did by hand wakes up nobody else."""
    alert = alert_of(decision(action, author))
    assert (alert.severity if alert else None) is severity


@pytest.mark.parametrize(
    ("begins", "ends"),
    [
        ("rollback", "resume"),
        ("freeze", "resume"),
        ("halt_writes", "resume_writes"),
        ("kill", "unkill"),
    ],
)
def test_what_ends_an_alert_is_of_its_topic(begins: str, ends: str) -> None:
    """So that a pager closes what it has opened."""
    first, second = alert_of(decision(begins)), alert_of(decision(ends))
    assert first is not None
    assert second is not None
    assert (first.topic, first.resolves, second.resolves) == (second.topic, False, True)


def test_a_step_says_at_which_weight() -> None:
    """In percent."""
    alert = alert_of(decision("advance", "plan"))
    assert alert is not None
    assert alert.done == "It is at 10%."


def test_troubles_begin_and_end() -> None:
    """The file and the store, each a topic of its own; a test says that it is one."""
    for alert in (rules_refused, store_failed):
        first, second = alert("disk full", 1.0), alert(None, 2.0)
        assert (first.severity, first.why, first.resolves) == (Severity.ERROR, "disk full", False)
        assert (second.topic, second.resolves) == (first.topic, True)
    assert "Nothing happened" in trial(1.0, "ada").done
