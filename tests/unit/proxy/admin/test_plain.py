from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.admin import plain
from proxy.control.status import Rollback
from tests.support_console import FakeController, route, sample, summary


@pytest.mark.parametrize(("hundredths", "percent"), [(0, 0), (1000, 10), (1050, 10.5), (1, 0.01)])
def test_weights_are_percent(hundredths: int, percent: float) -> None:
    """Whole percentages are whole numbers."""
    assert plain.percent(hundredths) == percent
    assert isinstance(plain.percent(1000), int)


def test_times_are_rfc_3339_in_utc() -> None:
    """To the millisecond, with a Z."""
    assert plain.instant(1_790_000_000.1234) == "2026-09-21T14:13:20.123Z"


def test_what_was_not_measured_is_null() -> None:
    """A route without traffic has no observed weight, not one of 0."""
    assert plain.route_plain(route(weight_observed=None))["weight_observed"] is None
    assert plain.route_plain(route(weight_observed=0.104))["weight_observed"] == 10.4


def test_a_rolled_back_route_says_why() -> None:
    """The reason and the end of the cool-down stand with the route."""
    status = FakeController(clock=lambda: 1_790_000_000.0).status()
    found = {each["id"]: each for each in plain.status_plain(status)["routes"]}
    assert found["plans"]["rolled_back"] is None
    rolled_back = found["billing.history"]["rolled_back"]
    assert rolled_back["reason"].startswith("error rate 12.5%")
    assert rolled_back["cooldown_until"] == "2026-09-21T14:21:10.000Z"


def test_differences_tell_times_as_everything_else_does() -> None:
    """Also within the samples."""
    from shadow_compare.report import SignatureDetail

    detail = SignatureDetail(summary(first_seen=1_790_000_000.0), (sample(at=1_790_000_001.0),))
    found = plain.signature_plain(detail)
    assert found["first_seen"] == "2026-09-21T14:13:20.000Z"
    assert found["samples"][0]["at"] == "2026-09-21T14:13:21.000Z"


async def test_a_version_keeps_the_last_rollback_of_each_route() -> None:
    """Also after its resume: the next cool-down depends on it."""
    record = replace(
        await FakeController(clock=lambda: 1_790_000_000.0).version(18),
        rollbacks={
            "plans": Rollback(1_790_000_000.0, "cutover", "errors", 1_790_000_600.0, 2, False)
        },
    )
    found = plain.version_with_text_plain(record)
    assert found["text"] == record.text
    assert found["rollbacks"]["plans"]["cooldown_until"] == "2026-09-21T14:23:20.000Z"
    assert (found["rollbacks"]["plans"]["times"], found["rollbacks"]["plans"]["active"]) == (
        2,
        False,
    )


def test_evidence_tells_weights_and_times_as_all_else_does() -> None:
    """Only the form changes; whatever else a detector wrote is passed on."""
    evidence = {
        "detector": "error_rate",
        "weight": 1050,
        "previous": 1000,
        "samples": [{"at": 1_790_000_000.0, "status": 503}],
    }
    assert plain.evidence_plain(evidence) == {
        "detector": "error_rate",
        "weight": 10.5,
        "previous": 10,
        "samples": [{"at": "2026-09-21T14:13:20.000Z", "status": 503}],
    }
