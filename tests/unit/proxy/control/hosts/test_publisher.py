from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.control.bus.base import OnPeerMessage, OnPeerState, Payload
from proxy.control.bus.memory import MemoryBus
from proxy.control.hosts.publisher import HostsPublisher
from proxy.control.loaded import LoadedRules
from proxy.control.records import version_to_plain
from proxy.control.state import RoutingState
from proxy.control.status import VersionRecord
from proxy.routing.schema import load_rules
from tests.contracts.store import version
from tests.support_control import RULES


class Bus(MemoryBus):
    """A bus between hosts that only remembers what was said."""

    def __init__(self, on_message: OnPeerMessage, on_state: OnPeerState) -> None:
        super().__init__(on_message, on_state)
        self.claimed: Payload | None = None
        self.reachable = True
        self.said: list[Payload] = []

    def publish(self, kind: str, payload: Payload) -> None:
        """Remember it."""
        assert kind == "snapshot"
        self.said.append(payload)


class Host:
    """A publisher with its bus."""

    def __init__(self) -> None:
        self.known: VersionRecord | None = None
        self.bus = Bus(lambda *_: None, lambda *_: None)
        self.publisher = HostsPublisher(lambda *_: self.bus, lambda: self.known)

    def publish(self, number: int) -> None:
        """Put a version in force."""
        record = replace(version(number), text=RULES)
        loaded = LoadedRules(RULES, *load_rules(RULES, "rules"))
        self.publisher.publish(RoutingState(record, loaded).snapshot, record)

    @property
    def said(self) -> list[int]:
        """The versions that were sent."""
        return [payload["version"] for payload in self.bus.said]


@pytest.fixture
async def host() -> Host:
    """Give a host that has begun to act."""
    host = Host()
    await host.publisher.start(lambda *_: None, lambda *_: None)
    return host


async def test_nothing_is_published_that_is_not_stored(host: Host) -> None:
    """Each version waits for the store; only the newest that it has is sent."""
    host.publish(3)
    assert host.said == []
    host.publisher.written(2)
    assert host.said == []
    host.publisher.written(3)
    host.publish(4)
    host.publish(5)
    host.publish(6)
    host.publisher.written(5)
    assert host.said == [3, 5]
    assert host.bus.said[-1]["record"]["number"] == 5


async def test_what_is_stored_already_is_published_at_once(host: Host) -> None:
    """As at the beginning of a term, under the new token."""
    host.publisher.written(7)
    host.publish(7)
    assert host.said == [7]


async def test_the_second_memory_is_the_newest_that_is_known(host: Host) -> None:
    """Of Redis and of this host; what cannot be read counts for nothing."""
    assert host.publisher.last() is None
    host.known = version(4)
    host.bus.claimed = {"version": 5, "record": version_to_plain(version(5))}
    assert host.publisher.last() == version(5)
    host.known = version(6)
    assert host.publisher.last() == version(6)
    host.bus.claimed = {"version": 9, "record": {"number": "nine"}}
    assert host.publisher.last() == version(6)


async def test_without_redis_there_is_a_problem(host: Host) -> None:
    """For the status, until it can be used again."""
    assert host.publisher.problem is None
    host.bus.reachable = False
    assert "Redis" in str(host.publisher.problem)
