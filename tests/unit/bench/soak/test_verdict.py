from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from bench.soak.verdict import HEADER, WARM_UP_REQUESTS, Reading, judge, table

SLICE = 50_000


def readings(rss: Callable[[int], float], count: int = 90) -> list[Reading]:
    """Readings of a worker whose memory is a function of the number of requests."""
    return [
        Reading(
            seconds=5.0 * n,
            requests=n * SLICE,
            pss=0,
            rss=int(rss(n * SLICE)),
            others=0,
            files=60,
            rate=10_000,
        )
        for n in range(1, count + 1)
    ]


def test_a_flat_worker_does_not_grow() -> None:
    """Noise of a few hundred KB is not growth."""
    chance = random.Random(1)
    result = judge(readings(lambda _: 75e6 + chance.gauss(0, 3e5)), {})
    assert result.good
    assert result.sentence.startswith("NO GROWTH")


def test_one_small_object_lost_in_fifty_requests_is_growth() -> None:
    """56 bytes by each fiftieth, below the noise of any single reading."""
    chance = random.Random(1)
    result = judge(readings(lambda n: 75e6 + n * 56 / 50 + chance.gauss(0, 3e5)), {})
    assert not result.good
    assert result.figures["worker_growth_bytes_per_request"] == pytest.approx(1.1, abs=0.3)


def test_what_fills_at_the_beginning_is_no_growth() -> None:
    """Caches and pools have a bound."""
    assert judge(readings(lambda n: 75e6 + min(n, 1_000_000) * 10), {}).good


def test_a_single_leap_is_no_slope() -> None:
    """An arena that is taken once and kept."""
    assert judge(readings(lambda n: 75e6 + (2e6 if n > 3_500_000 else 0)), {}).good


def test_a_short_run_gives_no_verdict() -> None:
    """Neither good nor growth: it says what is missing."""
    result = judge(readings(lambda _: 75e6, count=WARM_UP_REQUESTS // SLICE + 2), {})
    assert not result.good
    assert "NO VERDICT" in result.sentence


def test_wrong_answers_fail_a_soak() -> None:
    """However flat the memory is."""
    result = judge(readings(lambda _: 75e6), {"two_lengths": "200 instead of 400"})
    assert not result.good
    assert "two_lengths: 200 instead of 400" in result.sentence


def test_the_table_is_short_and_has_the_last_reading() -> None:
    """A soak of hours still fits on a screen."""
    lines = table(readings(lambda _: 75e6, count=500)).splitlines()
    assert lines[0] == HEADER
    assert len(lines) < 25
    assert "25,000,000" in lines[-1]
