"""A host that stands by, over doubles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from proxy.clock import FakeClock
from proxy.control.bus.base import OnPeerMessage, OnPeerState
from proxy.control.bus.memory import MemoryBus
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


def at(number: int, text: str = RULES) -> VersionRecord:
    """Give a version with this document, in which `plans` is rolled back."""
    return replace(version(number), text=text, kill_switch=False)
