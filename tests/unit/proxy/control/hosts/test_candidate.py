from __future__ import annotations

import asyncio

import pytest

from proxy.clock import FakeClock
from proxy.control.hosts.candidate import Candidate
from proxy.control.hosts.lease import Report
from proxy.control.hosts.memory_lease import MemoryLease, MemoryTable


class Host:
    """One host with its way to the table, which can be cut, and to Redis."""

    def __init__(self, name: str, table: MemoryTable, clock: FakeClock) -> None:
        self.name, self.bus, self.lease = name, True, MemoryLease(table)
        self.keys = "the same"
        self.candidate = Candidate(self.lease, clock, self.report)

    def report(self) -> Report:
        """Give how it is."""
        url = f"http://{self.name}"
        return Report(self.name, f"in {self.name}", url, self.bus, 3, keys=self.keys)

    async def beat(self) -> int | None:
        """Let it beat; gives the token under which it acts."""
        await self.candidate.beat()
        return self.acts

    @property
    def acts(self) -> int | None:
        """The token under which it believes to act."""
        tenure = self.candidate.tenure
        return None if tenure is None else tenure.token


@pytest.fixture
def clock() -> FakeClock:
    """Give one clock for all."""
    return FakeClock()


@pytest.fixture
def hosts(clock: FakeClock) -> tuple[Host, Host]:
    """Give two hosts of one table."""
    table = MemoryTable(clock)
    return Host("a", table, clock), Host("b", table, clock)


async def test_one_acts_and_goes_on(hosts: tuple[Host, Host], clock: FakeClock) -> None:
    """The first acts as long as it beats; the other waits."""
    a, b = hosts
    for _ in range(10):
        assert (await a.beat(), await b.beat()) == (1, None)
        clock.advance(0.5)


async def test_cut_off_it_stops_before_another_begins(
    hosts: tuple[Host, Host], clock: FakeClock
) -> None:
    """At no moment do two believe that they act."""
    a, b = hosts
    await a.beat()
    a.lease.problem = "no route to host"
    seen = []
    for _ in range(40):
        clock.advance(0.1)
        await a.beat()
        seen.append((a.acts, await b.beat()))
    assert (1, 2) not in seen
    assert seen[-1] == (None, 2)
    assert (None, None) in seen
    assert a.candidate.problem == "no route to host"


async def test_paused_it_wakes_up_and_does_not_act(
    hosts: tuple[Host, Host], clock: FakeClock
) -> None:
    """Whatever has happened meanwhile: the first look at the clock says that the time is over."""
    a, b = hosts
    await a.beat()
    clock.advance(4.0)
    assert a.acts is None
    assert await b.beat() == 2
    assert await a.beat() is None


async def test_without_redis_it_does_not_begin(hosts: tuple[Host, Host]) -> None:
    """Who could not tell the others, and has not read what was told last, does not take over."""
    a, b = hosts
    a.bus = False
    assert (await a.beat(), await b.beat()) == (None, 1)


async def test_it_makes_room_for_a_host_that_has_redis(
    hosts: tuple[Host, Host], clock: FakeClock
) -> None:
    """It lets go after two seconds without Redis, and the other need not wait for a lease's end."""
    a, b = hosts
    await a.beat()
    await b.beat()
    a.bus = False
    await a.beat()
    clock.advance(1.9)
    assert (await a.beat(), await b.beat()) == (1, None)
    clock.advance(0.2)
    assert (await a.beat(), await b.beat()) == (None, 2)


async def test_without_redis_anywhere_it_goes_on(
    hosts: tuple[Host, Host], clock: FakeClock
) -> None:
    """Nobody else could do better: changes go by the store."""
    a, b = hosts
    await a.beat()
    a.bus = b.bus = False
    for _ in range(10):
        clock.advance(0.5)
        await b.beat()
        assert await a.beat() == 1


async def test_waiting_for_a_term_and_for_its_end(
    hosts: tuple[Host, Host],
) -> None:
    """Who waits is woken when it acts, and when it does no more."""
    a, _ = hosts
    waiting = asyncio.create_task(a.candidate.until_acting())
    await asyncio.sleep(0)
    await a.beat()
    tenure = await waiting
    ending = asyncio.create_task(a.candidate.until_lost(tenure.token))
    await asyncio.sleep(0)
    assert not ending.done()
    a.candidate.lose()
    await ending


async def test_what_is_told_of_all_hosts(hosts: tuple[Host, Host], clock: FakeClock) -> None:
    """Each names who acts and where; what was heard too long ago counts no more."""
    a, b = hosts
    assert a.candidate.hosts().acting is None
    await a.beat()
    await b.beat()
    told = b.candidate.hosts()
    assert (told.own, told.acting, told.token, told.url) == ("b", "a", 1, "http://a")
    assert [(each.name, each.connected, each.version) for each in told.hosts] == [
        ("a", True, 3),
        ("b", True, 3),
    ]
    clock.advance(3.5)
    told = b.candidate.hosts()
    assert told.acting is None
    assert [(each.name, each.connected) for each in told.hosts] == [("a", False), ("b", True)]


async def test_hosts_with_other_keys_are_told(hosts: tuple[Host, Host]) -> None:
    """A cookie that one of them signs would be a stranger's on the other."""
    a, b = hosts
    a.keys = "mint.key=1,redaction.key=2"
    b.keys = "mint.key=1,redaction.key=3"
    await b.candidate.beat()
    await a.beat()
    b.candidate.lose()
    told = {each.name: each for each in a.candidate.hosts().hosts}
    assert (told["b"].problem, told["b"].other_keys) == ("", ())
    assert told["a"].problem.startswith("its redaction.key is not that of b")
    assert told["a"].other_keys == ("redaction.key",)
    b.keys = a.keys
    await b.candidate.beat()
    await a.beat()
    assert not any(each.problem for each in a.candidate.hosts().hosts)


async def test_released_another_acts_at_once(hosts: tuple[Host, Host]) -> None:
    """An orderly end leaves no gap."""
    a, b = hosts
    await a.beat()
    await a.candidate.release()
    assert (a.acts, await b.beat()) == (None, 2)
