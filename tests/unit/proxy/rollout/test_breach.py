from __future__ import annotations

import pytest

from proxy.rollout.breach import Breach, Verdict

HITS = {"hits": 6, "tolerated": 0.005}


@pytest.mark.parametrize(
    ("breach", "words"),
    [
        (
            Breach("error_rate", 0.125, 0.05, 96, 60),
            "error rate of 12.5% over 96 requests is above 5.00%",
        ),
        (Breach("p95", 1.234, 1.0, 40, 60), "p95 of 1234 ms over 40 requests is above 1000 ms"),
        (
            Breach("mismatch_rate", 0.02, 0.01, 50, 60),
            "2.0% of 50 comparisons differ, more than 1.00%",
        ),
        (
            Breach("t1", 6.4e9, 1e9, 8, 60, details=HITS),
            "6 of 8 requests to modern failed: this proves (evidence 6.4e+09, needed 1e+09) an"
            " error rate above the tolerated 0.5%",
        ),
        (
            Breach("t1", 2e6, 1e6, 8, 60, Verdict.HOLD, HITS),
            "6 of 8 requests to modern failed: this speaks for (evidence 2.0e+06, a rollback needs"
            " 1e+09) an error rate above the tolerated 0.5%",
        ),
        (
            Breach("t1", 2e9, 1e9, 8, 60, Verdict.HOLD, HITS | {"legacy": "legacy fails too"}),
            "6 of 8 requests to modern failed: this proves (evidence 2.0e+09, needed 1e+09) an"
            " error rate above the tolerated 0.5%; but legacy fails too, so nothing proves that"
            " modern is worse",
        ),
        (
            Breach("t2", 2e9, 1e9, 15, 60, details={"hits": 14, "share": 0.1}),
            "14 of 15 failures were modern's, which has 10% of the requests: this proves (evidence"
            " 2.0e+09, needed 1e+09) that it fails more often than legacy",
        ),
        (
            Breach("t3", 2e9, 1e9, 45, 60, details={"hits": 44}),
            "of 45 mirrored requests that one side failed, modern failed 44: this proves (evidence"
            " 2.0e+09, needed 1e+09) that it fails more often than legacy",
        ),
        (
            Breach("t4", 2e9, 1e9, 90, 60, details={"hits": 9, "tolerated": 0.01}),
            "9 of 90 comparisons differ: this proves (evidence 2.0e+09, needed 1e+09) a mismatch"
            " rate above the tolerated 1.0%",
        ),
        (
            Breach("critical", 1, 3, 4, 60, Verdict.HOLD, {"place": "$.data[*].price"}),
            "1 customer got another answer where nothing may differ ($.data[*].price)",
        ),
        (
            Breach("t5", 2e9, 1e9, 70, 60, details={"hits": 21, "tolerated": 0.06, "limit": 1.0}),
            "21 of 70 requests to modern took longer than 1000 ms: this proves (evidence 2.0e+09,"
            " needed 1e+09) a share of slow ones above the tolerated 6.0%",
        ),
        (
            Breach("denied", 2e9, 1e9, 9, 60, details={"hits": 8, "tolerated": 0.014}),
            "8 of 9 requests to modern were answered 401, 403, 419 or 422 since the step: this"
            " proves (evidence 2.0e+09, needed 1e+09) more than the 1.4% before it; sessions may"
            " not carry over",
        ),
        (Breach("t9", 2.0, 1.0, 7, 60), "t9 of 2 over 7 events is above 1"),
    ],
)
def test_every_detector_speaks(breach: Breach, words: str) -> None:
    """Each says in one sentence what was measured, on how much, and against what."""
    assert str(breach) == words


def test_it_is_recorded_in_numbers() -> None:
    """Everything that the sentence says stands in the record of the decision, too."""
    breach = Breach("t1", 2e9, 1e9, 8, 60.0, details=HITS)
    assert breach.evidence() == {
        "detector": "t1", "value": 2e9, "bound": 1e9, "n": 8, "window": 60.0,
        "hits": 6, "tolerated": 0.005,
    }  # fmt: skip
    again = Breach.of_evidence(breach.evidence() | {"samples": []})
    assert str(again) == str(breach)


@pytest.mark.parametrize(
    "evidence",
    [
        {},
        {"detector": "t1"},
        {"detector": "t1", "value": True, "bound": 1, "n": 2},
        {"detector": 7, "value": 1.0, "bound": 1, "n": 2},
        {"detector": "t1", "value": 1.0, "bound": 1, "n": None},
    ],
)
def test_a_record_without_its_numbers_is_no_breach(evidence: dict[str, object]) -> None:
    """What another program or version wrote is not read as if it were complete."""
    assert Breach.of_evidence(evidence) is None
