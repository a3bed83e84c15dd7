from __future__ import annotations

from proxy.admin.health import health
from tests.support_console import FakeController


def test_what_workers_hold_is_put_together() -> None:
    """Pools by worker and side with their breaker; drops by reason; only events that happened."""
    found = health(FakeController().reading())
    assert [(pool.worker, pool.side, pool.breaker) for pool in found.pools] == [
        ("0", "legacy", "closed"),
        ("0", "modern", "closed"),
        ("1", "legacy", "closed"),
        ("1", "modern", "half_open"),
    ]
    assert found.pools[3].connections == {"idle": 6, "leased": 3, "waiting": 0}
    assert [(each.address, each.takes_part) for each in found.instances] == [
        ("127.0.0.1:8082", True),
        ("127.0.0.1:8083", False),
    ]
    assert found.dropped == {"queue_full": 5}
    assert found.events == (("refused_requests", "400", 12), ("retries", "legacy", 3))
