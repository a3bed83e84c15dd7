from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.upstream_rules import EjectionRules
from proxy.upstream.ejection import (
    TRANSITIONS,
    Ejection,
    Standing,
    max_ejected,
    table_text,
)
from tests.support_docs import read

NOW = 1000.0
RULES = EjectionRules(failures=3, duration=10.0, max_duration=60.0)


def ejected(at: float = NOW) -> Ejection:
    """Give the state of an instance that has just been ejected for the first time."""
    one = Ejection()
    for _ in range(RULES.failures):
        one.fail(at, RULES, room=True)
    assert one.standing is Standing.EJECTED
    return one


def test_failures_in_a_row_eject() -> None:
    """As many as the rules say, and not one less."""
    one = Ejection()
    told = [one.fail(NOW, RULES, room=True) for _ in range(3)]
    assert (told, one.standing, one.until) == ([False, False, True], Standing.EJECTED, NOW + 10)


def test_a_success_between_failures_breaks_the_row() -> None:
    """An error here and there is not an instance that is down."""
    one = Ejection()
    for _ in range(9):
        one.fail(NOW, RULES, room=True)
        one.fail(NOW, RULES, room=True)
        one.succeed()
    assert one.standing is Standing.ADMITTED


def test_without_room_nobody_is_ejected() -> None:
    """Until there is room: then the next failure is enough."""
    one = Ejection()
    assert not any(one.fail(NOW, RULES, room=False) for _ in range(9))
    assert one.fail(NOW, RULES, room=True)


def test_who_is_ejected_comes_back_on_trial() -> None:
    """When its time is over, and not before; it is told once."""
    one = ejected()
    assert not one.pass_time(NOW + 9.9, RULES)
    assert one.pass_time(NOW + 10, RULES)
    assert one.standing is Standing.TRIAL
    assert not one.pass_time(NOW + 10, RULES)


def test_a_trial_is_over_after_as_long_again() -> None:
    """Then everything is forgotten, and that is no readmission: it took part already."""
    one = ejected()
    one.pass_time(NOW + 10, RULES)
    assert not one.pass_time(NOW + 20, RULES)
    assert one.standing is Standing.ADMITTED
    assert [one.fail(NOW + 21, RULES, room=True) for _ in range(3)] == [False, False, True]
    assert one.until == NOW + 31


def test_one_failure_on_trial_ejects_for_twice_as_long() -> None:
    """Up to the longest that the rules allow."""
    one, at, terms = ejected(), NOW, []
    for _ in range(5):
        terms.append(one.until - at)
        at = one.until
        one.pass_time(at, RULES)
        assert one.fail(at, RULES, room=True)
    assert terms == [10, 20, 40, 60, 60]


def test_what_began_before_the_ejection_tells_nothing_new() -> None:
    """Its failures come late, and do not make the ejection longer."""
    one = ejected()
    assert not any(one.fail(NOW + 5, RULES, room=True) for _ in range(9))
    assert one.until == NOW + 10


@pytest.mark.parametrize(
    ("instances", "share", "allowed"),
    [(1, 1.0, 0), (2, 0.5, 1), (2, 0.1, 1), (3, 0.5, 1), (4, 0.5, 2), (4, 1.0, 4), (4, 0.0, 0)],
)
def test_how_many_may_be_out(instances: int, share: float, allowed: int) -> None:
    """One of several at least, if any; never the only one."""
    assert max_ejected(instances, share) == allowed


def test_the_table_is_complete_and_documented() -> None:
    """Every standing has its row, and the documentation shows the table as it is."""
    assert set(TRANSITIONS) == set(Standing)
    assert table_text() in read("upstreams.md")


@given(st.lists(st.sampled_from(["fail", "full", "succeed", "wait", "wait long"]), max_size=60))
def test_whoever_is_ejected_is_readmitted_in_the_end(steps: list[str]) -> None:
    """Whatever happened: within the longest term it takes part again, and then it is as new."""
    one, now = Ejection(), NOW
    for step in steps:
        if step == "succeed":
            one.succeed()
        elif step.startswith("wait"):
            now += 7.0 if step == "wait" else 300.0
            one.pass_time(now, RULES)
        else:
            one.fail(now, RULES, room=step == "fail")
        assert one.standing is Standing.ADMITTED or one.until - now <= RULES.max_duration
    one.pass_time(now + RULES.max_duration, RULES)
    assert one.standing is not Standing.EJECTED
    one.pass_time(now + 2 * RULES.max_duration, RULES)
    assert one.standing is Standing.ADMITTED
