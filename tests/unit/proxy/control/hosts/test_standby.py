from __future__ import annotations

from pathlib import Path

import pytest

from proxy.control.bus.memory import MemoryUplink
from proxy.errors import ElsewhereError
from tests.support_control import RULES
from tests.support_standby import EDITED, Host, at


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    """Give a host whose bridge is open."""
    host = Host(tmp_path)
    await host.bridge.start()
    return host


async def test_it_shows_what_is_in_force_and_its_own_workers(host: Host) -> None:
    """Weights and rollbacks as published; workers by the name of their host."""
    host.bridge.adopt(at(3, EDITED))
    host.bus.join(
        MemoryUplink(host.bus, {}, lambda *_: None, lambda _: None),
        {"role": "worker", "index": 0, "pid": 7},
    )
    status = host.standby.status()
    by_id = {route.id: route for route in status.routes}
    assert by_id["subscriptions"].weight_in_force == 6000
    assert by_id["plans"].weight_in_force == 0
    assert [(each.host, each.role, each.index) for each in status.workers] == [("b", "worker", 0)]


async def test_changes_are_made_elsewhere(host: Host) -> None:
    """They are refused with the host that acts and its address, or in words that nobody does."""
    with pytest.raises(ElsewhereError, match="no host is known to act"):
        await host.standby.rollback("plans", author="ada", reason="why not")
    await host.hear_of("a")
    with pytest.raises(ElsewhereError, match="b stands by; a acts") as refused:
        await host.standby.set_weight("plans", 0, author="ada", reason="why not")
    assert (refused.value.acting, refused.value.url) == ("a", "http://a")


async def test_it_says_that_it_measures_nothing(host: Host) -> None:
    """No figure, no evidence and nothing that a plan waits for is made up: it names who knows."""
    await host.hear_of("a")
    host.bridge.adopt(at(3))
    status = host.standby.status()
    assert not status.measured
    told = "b stands by and measures nothing; all traffic is measured by a: http://a"
    assert {route.verdict_reason for route in status.routes} == {told}
    assert host.standby.route("plans") in status.routes
    assert all(not route.progress.waits for route in status.routes if route.progress)
    assert host.standby.brief().version == 3


async def test_its_rules_file_follows(host: Host) -> None:
    """So that whoever acts next has it; but an edit made here stays, and is told."""
    await host.hear_of("a")
    host.bridge.adopt(at(3))
    host.bridge.adopt(at(4, EDITED))
    assert host.file.read_text() == EDITED
    mine = RULES.replace("weight: 50%", "weight: 70%")
    host.file.write_text(mine)
    host.standby.follow_files()
    assert "not what is in force" in str(host.standby.status().rules_problem)
    host.bridge.adopt(at(5))
    assert host.file.read_text() == mine
