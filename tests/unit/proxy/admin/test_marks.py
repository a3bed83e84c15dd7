from __future__ import annotations

import pytest

from proxy.admin.marks import marks_of
from proxy.control.status import DecisionRecord


def decision(action: str, at: float = 100.0, number: int = 1, **evidence: object) -> DecisionRecord:
    """A decision of this kind."""
    return DecisionRecord(number, at, "plans", action, "ada", "because", 19, dict(evidence))


@pytest.mark.parametrize(
    ("made", "kind", "label"),
    [
        (decision("set_weight", weight=1250), "step", "12.5%"),
        (decision("advance", weight=5000), "step", "50%"),
        (decision("resume", weight=500), "step", "resumed at 5%"),
        (decision("rollback", weight=5000), "rollback", "rolled back"),
        (decision("deployed"), "deploy", "release of modern"),
        (decision("import"), "rules", "rules 19"),
        (decision("set_weight", weight="<b>"), "step", "another weight"),
    ],
)
def test_decisions_are_told_shortly(made: DecisionRecord, kind: str, label: str) -> None:
    """In a word or two: a chart has no room for more."""
    (mark,) = marks_of([made], 0.0)
    assert (mark.kind, mark.label) == (kind, label)


def test_only_what_can_be_seen_is_marked() -> None:
    """In order of time, and nothing from before the chart."""
    made = [decision("hold"), decision("kill", 90.0, 3), decision("unkill", 95.0, 4)]
    assert [mark.label for mark in marks_of([*made, decision("load", 1.0)], 50.0)] == [
        "kill switch on",
        "kill switch off",
    ]
