from __future__ import annotations

from proxy.clock import FakeClock
from proxy.control.alerts.message import Alert
from proxy.control.alerts.watch import TroubleWatch


def test_a_trouble_is_told_when_it_begins_and_when_it_ends() -> None:
    """Once each, however its words change meanwhile."""
    now: list[str | None] = [None, None]
    told: list[Alert] = []
    watch = TroubleWatch(lambda: (now[0], now[1]), told.append, FakeClock())
    for now[:] in ([None, None], ["a", None], ["b", None], ["b", "c"], [None, "c"], [None, None]):
        watch.look()
    assert [alert.event for alert in told] == [
        "rules_refused", "store_failed", "rules_accepted", "store_works",
    ]  # fmt: skip
