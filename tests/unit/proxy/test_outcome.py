from __future__ import annotations

import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.outcome import (
    LATENCY_GROWTH,
    BadEvent,
    ComparisonBatch,
    ComparisonCount,
    OutcomeBatch,
    OutcomeKind,
    Tally,
    latency_bucket,
    latency_of,
)

COUNTS = st.integers(0, 2**53)
TIMES = st.floats(0, 4e9, allow_nan=False)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
EVENTS = st.builds(
    BadEvent,
    TIMES,
    st.integers(0, 2**63 - 1),
    st.sampled_from(OutcomeKind),
    st.integers(0, 599),
    st.floats(0, 3600),
    TEXTS,
    TEXTS,
    TEXTS,
)
TALLIES = st.builds(
    Tally,
    *[COUNTS] * 7,
    latencies=st.dictionaries(st.integers(-200, 900), st.integers(1, 2**31), max_size=5),
    bad_events=st.lists(EVENTS, max_size=3),
)
SIDES = st.sampled_from(["legacy", "modern", ""])
SMALL_COUNTS = st.dictionaries(TEXTS, st.dictionaries(TEXTS, COUNTS, max_size=3), max_size=3)


@given(
    st.builds(
        OutcomeBatch,
        COUNTS,
        COUNTS,
        COUNTS,
        TIMES,
        st.dictionaries(st.tuples(TEXTS, SIDES), TALLIES, max_size=3),
        COUNTS,
        SMALL_COUNTS,
        COUNTS,
        SMALL_COUNTS,
        SMALL_COUNTS,
        st.dictionaries(
            TEXTS, st.dictionaries(TEXTS, st.tuples(COUNTS, COUNTS).map(list)), max_size=3
        ),
        st.dictionaries(TEXTS, COUNTS, max_size=3),
        st.dictionaries(TEXTS, TIMES, max_size=3),
    )
)
def test_a_batch_survives_the_wire(batch: OutcomeBatch) -> None:
    """What the controller counts is what the worker saw, bucket for bucket."""
    assert OutcomeBatch.from_wire(orjson.loads(orjson.dumps(batch.to_wire()))) == batch


@given(
    st.builds(
        ComparisonBatch,
        COUNTS,
        COUNTS,
        COUNTS,
        TIMES,
        COUNTS,
        st.lists(
            st.builds(ComparisonCount, TEXTS, SIDES, TEXTS, TEXTS, st.booleans(), COUNTS),
            max_size=3,
        ).map(tuple),
    )
)
def test_comparisons_survive_the_wire(batch: ComparisonBatch) -> None:
    """What the controller counts is what the shadow worker judged."""
    assert ComparisonBatch.from_wire(orjson.loads(orjson.dumps(batch.to_wire()))) == batch


def test_a_batch_begins_empty() -> None:
    """No two batches share a container."""
    one, other = OutcomeBatch(0, 1, 2, 3.0), OutcomeBatch(0, 1, 2, 3.0)
    one.tallies["a", "legacy"] = Tally()
    one.tallies["a", "legacy"].latencies[1] = 1
    assert (other.tallies, Tally().latencies, Tally().bad_events) == ({}, {}, [])


@given(st.floats(0.0001, 3600))
def test_a_latency_is_known_to_two_percent(seconds: float) -> None:
    """That is the width of a bucket; its middle is within one percent."""
    found = latency_of(latency_bucket(seconds))
    assert abs(found - seconds) <= seconds * (LATENCY_GROWTH - 1)
    assert abs(found - seconds) <= seconds * (math.sqrt(LATENCY_GROWTH) - 1) * 1.001


@given(st.floats(0, 3600), st.floats(0, 3600))
def test_buckets_keep_the_order(one: float, other: float) -> None:
    """A quantile of the buckets is the bucket of the quantile."""
    low, high = sorted((one, other))
    assert latency_bucket(low) <= latency_bucket(high)


@pytest.mark.parametrize("seconds", [0.0, -1.0, 1e-9, 0.0001])
def test_what_is_too_fast_to_matter_shares_the_lowest_bucket(seconds: float) -> None:
    """Also a clock that went back harms nothing."""
    assert latency_bucket(seconds) == latency_bucket(0.0001)


@given(st.integers(-100, 800))
def test_the_middle_of_a_bucket_lies_in_it(bucket: int) -> None:
    """Reading and writing agree."""
    assert latency_bucket(latency_of(bucket)) == bucket


@pytest.mark.parametrize("kind", list(OutcomeKind))
def test_only_what_the_upstream_caused_is_bad(kind: OutcomeKind) -> None:
    """A client that leaves, or that we refuse, never rolls a route back."""
    innocent = {OutcomeKind.OK, OutcomeKind.CLIENT_ABORT, OutcomeKind.REJECTED}
    assert kind.is_bad is (kind not in innocent)
