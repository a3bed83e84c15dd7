from __future__ import annotations

from pathlib import Path

import pytest

from proxy.control.bus.memory import MemoryUplink
from tests.support_standby import Host, at


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    """Give a host whose bridge is open."""
    host = Host(tmp_path)
    await host.bridge.start()
    return host


async def test_workers_are_told_of_newer_versions_only(host: Host) -> None:
    """What is older than what they have, or the same, is passed over."""
    heard: list[int] = []
    uplink = MemoryUplink(
        host.bus, {"role": "worker", "index": 0, "pid": 7},
        lambda kind, payload: heard.append(payload["version"]) if kind == "snapshot" else None,
        lambda _: None,
    )  # fmt: skip
    host.bus.join(uplink, {"role": "worker", "index": 0, "pid": 7})
    for number in (3, 2, 3, 5, 4):
        host.bridge.adopt(at(number))
    assert heard == [3, 5]
    assert host.standby.status().version == 5


async def test_a_restarted_host_begins_where_it_was(host: Host) -> None:
    """The snapshot file says what its workers serve by, and nothing older is taken any more."""
    host.bridge.adopt(at(7))
    again = host.bridge = host.new_bridge()
    await again.start()
    again.adopt(at(6))
    assert again.version == 7
