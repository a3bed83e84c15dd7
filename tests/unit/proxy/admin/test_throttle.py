from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.admin.throttle import ADDRESSES_MAX, BURST, REFILL, TOTAL, Throttle


def test_a_few_attempts_are_free_and_then_they_are_slow() -> None:
    """Five at once, then one every twelve seconds; the answer says when."""
    throttle = Throttle()
    assert [throttle.wait("10.0.0.1", 100.0) for _ in range(BURST)] == [0.0] * BURST
    assert throttle.wait("10.0.0.1", 100.0) == REFILL
    assert throttle.wait("10.0.0.1", 105.0) == REFILL - 5.0
    assert throttle.wait("10.0.0.1", 100.0 + REFILL) == 0.0
    assert throttle.wait("10.0.0.1", 100.0 + REFILL) > 0.0
    assert throttle.wait("10.0.0.2", 100.0 + REFILL) == 0.0


def test_what_was_right_costs_nothing() -> None:
    """However often."""
    throttle = Throttle()
    for _ in range(BURST * 3):
        assert throttle.wait("10.0.0.1", 100.0) == 0.0
        throttle.forgive("10.0.0.1")


def test_a_network_of_ipv6_is_one_address() -> None:
    """Whoever has a /64 has more addresses than anybody could remember."""
    throttle = Throttle()
    for number in range(BURST):
        assert throttle.wait(f"2001:db8::{number:x}", 0.0) == 0.0
    assert throttle.wait("2001:db8::ffff", 0.0) > 0.0
    assert throttle.wait("2001:db8:0:1::1", 0.0) == 0.0
    throttle.forgive("not an address")


def test_all_addresses_together_are_bounded_too() -> None:
    """Each attempt costs the time of a slow hash."""
    throttle = Throttle()
    found = [throttle.wait(f"10.0.{n >> 8}.{n & 255}", 0.0) for n in range(TOTAL * 2)]
    assert sum(wait == 0.0 for wait in found) == TOTAL


def test_memory_is_bounded() -> None:
    """Addresses that were seen longest ago make room."""
    throttle = Throttle()
    for number in range(ADDRESSES_MAX + 10):
        throttle.wait(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", float(number))
    assert len(throttle._until) == ADDRESSES_MAX


@given(st.lists(st.floats(0, 100), max_size=60))
def test_nobody_has_more_attempts_than_time_gives(pauses: list[float]) -> None:
    """In any stretch of time: the burst, and what came back meanwhile."""
    throttle, now, allowed = Throttle(), 1000.0, 0
    for pause in pauses:
        now += pause
        allowed += throttle.wait("10.0.0.1", now) == 0.0
    assert allowed <= BURST + sum(pauses) / REFILL + 1e-6
