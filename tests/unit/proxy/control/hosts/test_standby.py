from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from proxy.clock import FakeClock
from proxy.control.bus.base import OnPeerMessage, OnPeerState
from proxy.control.bus.memory import MemoryBus, MemoryUplink
from proxy.control.bus.redis_place import RoutingPlace
from proxy.control.hosts.bridge import Bridge
from proxy.control.hosts.candidate import Candidate
from proxy.control.hosts.lease import Report
from proxy.control.hosts.memory_lease import MemoryLease, MemoryTable
from proxy.control.hosts.standby import Standby
from proxy.control.loader import RulesFile
from proxy.control.publisher import Publisher
from proxy.control.status import VersionRecord
from proxy.control.store.memory import MemoryStore
from proxy.errors import ElsewhereError
from proxy.recording import RecordingFile
from tests.contracts.store import version
from tests.support_control import RULES

EDITED = RULES.replace("weight: 50%", "weight: 60%")


class Host:
    """A host that stands by, with its local bus; Redis is never reached."""

    def __init__(self, folder: Path) -> None:
        self.clock = FakeClock()
        self.store = MemoryStore()
        self.snapshot_file = folder / "snapshot.json"
        self.file = folder / "rules.yaml"
        self.file.write_text(RULES)
        self.table = MemoryTable(self.clock)
        self.bridge = self.new_bridge()
        self.candidate = Candidate(MemoryLease(self.table), self.clock, self.report)
        rules_file = RulesFile(self.file, self.clock)
        self.standby = Standby(
            self.bridge,
            self.candidate,
            self.store,
            rules_file,
            self.clock,
            RecordingFile(folder),
        )

    def new_bridge(self) -> Bridge:
        """Give a bridge, as each process of the host makes one."""
        local = Publisher(self.snapshot_file, self._open)
        place = RoutingPlace("redis://nowhere")
        return Bridge(
            place, "b", local, self.clock, lambda record, wire: self.standby.follow(record, wire)
        )

    def _open(self, on_message: OnPeerMessage, on_state: OnPeerState) -> MemoryBus:
        self.bus = MemoryBus(on_message, on_state)
        return self.bus

    def report(self) -> Report:
        """Give how it is; it does not want to act."""
        return Report("b", "in b", "http://b", False, self.bridge.version)

    async def hear_of(self, name: str) -> None:
        """Have another host act."""
        await MemoryLease(self.table).beat(
            Report(name, f"in {name}", f"http://{name}", True, 0), None, wants=True
        )
        await self.candidate.beat()


@pytest.fixture
async def host(tmp_path: Path) -> Host:
    """Give a host whose bridge is open."""
    host = Host(tmp_path)
    await host.bridge.start()
    return host


def at(number: int, text: str = RULES) -> VersionRecord:
    """Give a version with this document, in which `plans` is rolled back."""
    return replace(version(number), text=text, kill_switch=False)


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
