from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from proxy.routing.side import Side
from proxy.routing.upstream_rules import ProbeRules, UpstreamRules
from proxy.upstream.fake import FakeConnector, FakeTransport, turn
from proxy.upstream.instance import Instance
from proxy.upstream.pool import Pool
from proxy.upstream.probe import JITTER, Probing, ask

NOW = 1000.0
RULES = ProbeRules("/health?deep=1", host="shop.test", interval=10.0, timeout=5.0, rise=1, fall=2)
INSTANCE = Instance("a", 1)


@pytest.fixture
def connector() -> FakeConnector:
    """Give a network that does as it is told."""
    return FakeConnector()


async def asked(
    connector: FakeConnector, rules: ProbeRules = RULES
) -> asyncio.Task[tuple[bool, str]]:
    """Begin to ask."""
    task = asyncio.get_running_loop().create_task(ask(connector, INSTANCE, rules))
    await turn()
    return task


async def test_what_is_asked(connector: FakeConnector) -> None:
    """One GET that says who asks, on a connection that is closed after it."""
    task = await asked(connector)
    assert connector.attempts[0].deadline == 5.0
    transport = await connector.accept()
    assert transport.take() == (
        b"GET /health?deep=1 HTTP/1.1\r\nHost: shop.test\r\nUser-Agent: cutover-probe\r\n"
        b"Accept: */*\r\nConnection: close\r\n\r\n"
    )
    transport.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhe")
    assert await task == (True, "answered 200")
    assert transport.aborted


async def test_without_a_host_the_address_is_asked_for(connector: FakeConnector) -> None:
    """As a browser would."""
    task = await asked(connector, ProbeRules("/"))
    assert b"\r\nHost: a:1\r\n" in (await connector.accept()).take()
    connector.transports[0].lose()
    await task


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ([b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n"], (False, "answered 503")),
        ([b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n"], (True, "answered 302")),
        ([b"HTTP/1.1 103 Hints\r\n\r\n", b"HTTP/1.1 204 No\r\n\r\n"], (True, "answered 204")),
        ([b"HTTP/1.1 20", b"0 OK\r\n\r\n"], (True, "answered 200")),
    ],
)
async def test_what_the_answer_means(
    connector: FakeConnector, said: list[bytes], found: tuple[bool, str]
) -> None:
    """The status of the final head."""
    task = await asked(connector)
    transport = await connector.accept()
    for piece in said:
        transport.receive(piece)
    assert await task == found


async def test_what_is_no_http_is_no_good_answer(connector: FakeConnector) -> None:
    """And what comes after it is not read."""
    task = await asked(connector)
    transport = await connector.accept()
    transport.receive(b"220 mail.test ESMTP\r\n\r\n")
    transport.receive(b"HTTP/1.1 200 OK\r\n\r\n")
    good, said = await task
    assert not good
    assert said


async def test_an_instance_that_closes_is_not_well(connector: FakeConnector) -> None:
    """Before it has answered."""
    task = await asked(connector)
    (await connector.accept()).lose()
    assert await task == (False, "closed without an answer")


async def test_an_instance_that_cannot_be_reached_is_not_well(connector: FakeConnector) -> None:
    """The text says why."""
    task = await asked(connector)
    await connector.refuse(ConnectionRefusedError(111, "Connection refused"))
    assert await task == (False, "[Errno 111] Connection refused")


async def test_silence_is_no_good_answer(connector: FakeConnector) -> None:
    """Neither before nor after the connection is made."""
    task = await asked(connector, ProbeRules("/", timeout=0.0))
    assert await task == (False, "no answer within 0 s")
    other = FakeConnector()
    task = await asked(other)
    await other.refuse(TimeoutError())
    assert await task == (False, "no answer within 5 s")


class Naps:
    """Sleeps until it is woken, and remembers for how long it was to sleep."""

    def __init__(self) -> None:
        self.lengths: list[float] = []
        self._waiting: list[asyncio.Future[None]] = []

    async def __call__(self, seconds: float) -> None:
        """Sleep."""
        self.lengths.append(seconds)
        self._waiting.append(asyncio.get_running_loop().create_future())
        await self._waiting[-1]

    async def over(self) -> None:
        """Wake everybody."""
        for future in self._waiting:
            if not future.done():
                future.set_result(None)
        self._waiting.clear()
        await turn()


@pytest.fixture
async def naps() -> AsyncIterator[Naps]:
    """Give a time that passes when told; afterwards nothing may still probe."""
    yield Naps()
    await turn()
    assert len(asyncio.all_tasks()) == 1


def pool(connector: FakeConnector, probe: ProbeRules | None = RULES) -> Pool:
    """Make a pool of two instances."""
    rules = UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2"), probe=probe)
    return Pool(rules, 2, connector)


def admitted(of: Pool) -> list[int]:
    """Give which of them take part."""
    return [takes_part for takes_part, _ in of.instances.values()]


async def answered(connector: FakeConnector, status: int) -> None:
    """Let all that is asked be answered with this status."""
    while connector.pending:
        transport: FakeTransport = await connector.accept()
        transport.receive(b"HTTP/1.1 %d X\r\nContent-Length: 0\r\n\r\n" % status)
        await turn()


async def test_each_instance_is_probed_for_ever(connector: FakeConnector, naps: Naps) -> None:
    """The first time within an interval, then once in each, a little more or less."""
    chances = iter([0.25, 0.5, 0.0, 1.0])
    probing = Probing(lambda: NOW, lambda: next(chances), naps)
    of = pool(connector)
    probing.follow([of])
    await turn()
    assert naps.lengths == [2.5, 5.0]
    await naps.over()
    assert [str(attempt.instance) for attempt in connector.attempts] == ["a:1", "b:2"]
    await answered(connector, 200)
    assert naps.lengths[2:] == [10 * (1 - JITTER), 10 * (1 + JITTER)]
    probing.follow([])


async def test_probes_decide_who_takes_part(connector: FakeConnector, naps: Naps) -> None:
    """Two bad answers out, one good one in; idle connections to one that is out are closed."""
    probing = Probing(lambda: NOW, lambda: 0.5, naps)
    of = pool(connector)
    probing.follow([of])
    await turn()
    found = []
    for status in (500, 500, 200):
        await naps.over()
        await answered(connector, status)
        found.append(admitted(of))
    assert found == [[1, 1], [0, 0], [1, 1]]
    probing.follow([])


async def test_only_pools_that_change_are_probed_anew(connector: FakeConnector, naps: Naps) -> None:
    """The others' probes go on; those of a pool that is no more end, even while they ask."""
    probing = Probing(lambda: NOW, lambda: 0.5, naps)
    stays, goes, comes = pool(connector), pool(connector), pool(connector)
    probing.follow([stays, goes, pool(connector, None)])
    await turn()
    assert len(naps.lengths) == 4
    await naps.over()
    assert connector.pending == 4
    probing.follow([stays, comes])
    await turn()
    assert len(naps.lengths) == 6
    probing.follow([])


async def test_a_probe_that_ends_by_mistake_is_told(
    connector: FakeConnector, naps: Naps, caplog: pytest.LogCaptureFixture
) -> None:
    """A mistake of ours must not leave an instance unwatched in silence."""
    probing = Probing(lambda: NOW, lambda: 1 / 0, naps)
    probing.follow([pool(connector)])
    await turn()
    assert caplog.text.count("a probe has ended") == 2
    probing.follow([])
