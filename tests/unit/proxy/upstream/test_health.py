from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.routing.upstream_rules import ProbeRules
from proxy.upstream.health import TRANSITIONS, Health, Probed, is_good, table_text
from tests.support_docs import read

RULES = ProbeRules("/health", rise=2, fall=3)


def after(answers: str) -> tuple[Health, list[bool]]:
    """Take answers, `+` for good ones; give the health and where it changed."""
    probed = Probed()
    changes = [probed.take(RULES, good=answer == "+") for answer in answers]
    return probed.health, changes


@pytest.mark.parametrize(
    ("answers", "health"),
    [
        ("", Health.UP),
        ("--", Health.UP),
        ("---", Health.DOWN),
        ("--+--", Health.UP),
        ("---+", Health.DOWN),
        ("---+-+", Health.DOWN),
        ("---++", Health.UP),
        ("---++--", Health.UP),
        ("---++---", Health.DOWN),
    ],
)
def test_a_change_takes_several_in_a_row(answers: str, health: Health) -> None:
    """Three bad ones down, two good ones up; one of the other kind begins the count anew."""
    assert after(answers)[0] is health


def test_a_change_is_told_once() -> None:
    """So that it is logged and acted upon once."""
    assert after("----++++")[1] == [False, False, True, False, False, True, False, False]


@pytest.mark.parametrize(
    ("status", "good"),
    [(199, False), (200, True), (204, True), (302, True), (404, False), (500, False)],
)
def test_what_is_a_good_answer(status: int, good: bool) -> None:
    """2xx and 3xx, unless the rules name others."""
    assert is_good(status, RULES) is good
    assert is_good(status, replace(RULES, statuses=(404,))) is (status == 404)


def test_the_table_is_complete_and_documented() -> None:
    """Every state has its row, and the documentation shows the table as it is."""
    assert set(TRANSITIONS) == set(Health)
    assert table_text() in read("upstreams.md")


@given(st.text("+-", max_size=40))
def test_the_last_answers_decide(answers: str) -> None:
    """Whatever was before: enough of one kind in a row, and the health is of that kind."""
    assert after(answers + "---")[0] is Health.DOWN
    assert after(answers + "++")[0] is Health.UP
