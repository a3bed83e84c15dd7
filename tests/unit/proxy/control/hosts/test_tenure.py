from __future__ import annotations

from proxy.control.hosts.tenure import MARGIN, TTL, Tenure


def test_it_is_over_before_the_lease_is() -> None:
    """Counted from when it was asked for, which is before the database counted: half a second."""
    tenure = Tenure(token=7, asked=100.0)
    assert tenure.until == 100.0 + TTL - MARGIN
    assert tenure.holds(tenure.until - 0.01)
    assert not tenure.holds(tenure.until)
