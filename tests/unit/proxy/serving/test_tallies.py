from __future__ import annotations

import pytest

from proxy.outcome import Tally, latency_bucket
from proxy.serving.tallies import PART, ROUND_FEWEST, ROUND_MOST, Tallies

BUCKET = latency_bucket(0.01)
MANY = [f"r{number}" for number in range(PART * ROUND_MOST)]


@pytest.fixture
def tallies() -> Tallies:
    """Give the counts of many routes, each of which has answered once on either side."""
    found = Tallies()
    for route in MANY:
        for side in ("legacy", "modern"):
            found.of(route, side).add_ok(0.01)
    return found


def test_a_few_routes_are_told_as_often_as_they_are_judged() -> None:
    """What is good waits a little for more of it."""
    few = Tallies()
    for route in "abcd":
        few.of(route, "legacy").add_ok(0.01)
    told = [few.take_next() for _ in range(ROUND_FEWEST)]
    one = Tally(served=1, ok=1, latencies={BUCKET: 1})
    assert told == [{(route, "legacy"): one} for route in "abcd"]
    assert few.take_next() == {}


def test_many_routes_are_told_in_turn(tallies: Tallies) -> None:
    """Everything within a round, nothing twice, and no batch much larger than another."""
    batches = [tallies.take_next() for _ in range(ROUND_MOST)]
    assert {len(batch) for batch in batches} == {2 * PART}
    assert len({key for batch in batches for key in batch}) == 2 * len(MANY)
    assert tallies.take_next() == {}


def test_a_failure_is_told_whoever_has_a_turn(tallies: Tallies) -> None:
    """With the good ones that came before it, and once."""
    for _ in range(2):
        tallies.failing(MANY[-1], "modern").bad += 1
    ((key, tally),) = tallies.take_failed().items()
    assert (key, tally.ok, tally.bad) == ((MANY[-1], "modern"), 1, 2)
    assert tallies.take_failed() == {}
    tallies.failing(MANY[-1], "modern").bad += 1
    assert (MANY[-1], "modern") in tallies.take_next()


def test_what_is_left_is_told_in_the_end(tallies: Tallies) -> None:
    """A worker that goes takes nothing with it."""
    tallies.failing(MANY[0], "legacy").bad += 1
    tallies.take_next()
    assert len(tallies.take_all()) == 2 * len(MANY) - 2 * PART
    assert (tallies.take_all(), tallies.take_failed()) == ({}, {})


def test_routes_that_are_gone_are_forgotten(tallies: Tallies) -> None:
    """What stays is the same object: exchanges hold it."""
    held, gone = tallies.of(MANY[0], "legacy"), tallies.failing(MANY[1], "legacy")
    tallies.keep({MANY[0]})
    assert tallies.of(MANY[0], "legacy") is held
    gone.bad += 1
    assert set(tallies.take_all()) == {(MANY[0], "legacy"), (MANY[0], "modern")}
