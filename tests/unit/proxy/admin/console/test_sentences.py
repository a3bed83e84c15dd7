from typing import Any

import pytest

from proxy.admin.console.sentences import because, is_automatic, measure_of, sentence
from proxy.control.status import DecisionRecord

EVIDENCE = {"detector": "error_rate", "value": 0.125, "bound": 0.05, "n": 96, "window": 60.0}


def decision(action: str, **changes: Any) -> DecisionRecord:
    """One decision of a person about the route plans, but for the changes."""
    values: dict[str, Any] = {
        "id": 4,
        "at": 1_790_000_000.0,
        "route": "plans",
        "author": "ada",
        "reason": "nothing differs",
        "version": 21,
        "evidence": {},
        **changes,
    }
    return DecisionRecord(action=action, **values)


@pytest.mark.parametrize(
    ("taken", "told"),
    [
        (
            decision("rollback", evidence=EVIDENCE, author="cutover"),
            "Cutover rolled plans back to legacy, because the error rate of modern was 12.5%, "
            "above the limit of 5%, in 96 requests within 60 s.",
        ),
        (
            decision(
                "freeze", evidence={**EVIDENCE, "detector": "p95", "value": 1.43, "bound": 1.0}
            ),
            "Cutover froze plans at its weight instead of rolling it back, because the p95 latency "
            "of modern was 1.43 s, above the limit of 1.00 s, in 96 requests within 60 s.",
        ),
        (
            decision("rollback"),
            "ada rolled plans back to legacy. Reason: nothing differs",
        ),
        (
            decision("set_weight", evidence={"previous": 500, "weight": 1000}),
            "ada set the weight of plans from 5% to 10%. Reason: nothing differs",
        ),
        (
            decision("resume", evidence={"weight": 1000}, reason=""),
            "ada resumed plans at 10%.",
        ),
        (
            decision("kill", route=None, reason="Emergency stop"),
            "ada turned the kill switch on: legacy answers everything. Reason: Emergency stop",
        ),
        (
            decision("load", route=None, author="", reason=""),
            "Somebody put other rules in force.",
        ),
        (
            decision("load", route=None, author="file", reason="the file was edited"),
            "An edit of the rules file put other rules in force. Reason: the file was edited",
        ),
        (
            decision("hand_over", reason=""),
            "ada hand over plans.",
        ),
    ],
)
def test_a_decision_reads_as_a_sentence(taken: DecisionRecord, told: str) -> None:
    """Who, what, why, and on what sample, for every action and for those still unknown."""
    assert sentence(taken) == told


def test_what_is_proved_is_told_as_the_detector_tells_it() -> None:
    """It is said as a proof, with readable numbers and the bound; no window is claimed."""
    evidence = {
        "detector": "t1", "value": 3.2e9, "bound": 1e9, "n": 8, "window": 60.0, "hits": 7,
        "tolerated": 0.005, "samples": [],
    }  # fmt: skip
    assert because(evidence) == (
        "7 of 8 requests to modern failed: this proves (evidence 3.2e+09, needed 1e+09) an error"
        " rate above the tolerated 0.5%"
    )


def test_an_unknown_detector_is_named_as_it_names_itself() -> None:
    """A detector this page does not know is still explained with its numbers."""
    assert measure_of("queue_depth").subject == "queue depth"
    assert because({"detector": "queue_depth", "value": 9, "bound": 5}).startswith(
        "queue depth was 9"
    )


@pytest.mark.parametrize(
    "evidence",
    [{}, {"detector": "p95"}, {"detector": "p95", "value": None, "bound": 1}, {"detector": 7}],
)
def test_incomplete_evidence_claims_nothing(evidence: dict[str, Any]) -> None:
    """Without a value and a bound there is no "because"."""
    assert because(evidence) == ""


def test_a_reason_is_never_a_format() -> None:
    """Braces in route ids and reasons are text."""
    told = sentence(decision("rollback", route="{0}", reason="{reason}"))
    assert told == "ada rolled {0} back to legacy. Reason: {reason}"


def test_a_detector_in_the_evidence_means_nobody_decided_it() -> None:
    """Automatic decisions are those with a detector."""
    assert is_automatic(decision("rollback", evidence=EVIDENCE))
    assert not is_automatic(decision("rollback"))
