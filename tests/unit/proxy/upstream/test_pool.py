from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from proxy.outcome import OutcomeKind
from proxy.routing.side import Side
from proxy.routing.upstream_rules import (
    QUEUE_FACTOR,
    BreakerRules,
    EjectionRules,
    Timeouts,
    UpstreamRules,
)
from proxy.upstream.connection import UpstreamConnection
from proxy.upstream.fake import FakeConnector, FakeTransport, turn
from proxy.upstream.instance import Instance
from proxy.upstream.pool import KEEP_ALIVE_MARGIN, Pool

NOW = 1000.0
RULES = UpstreamRules(Side.MODERN, ("http://a:1",), timeouts=Timeouts(2.0, 30.0, 60.0))


@dataclass(eq=False)
class Somebody:
    """A lessee that remembers what it was told."""

    connection: UpstreamConnection | None = None
    reused: bool | None = None
    failed: OutcomeKind | None = None
    lost: int = 0
    answers: list[bytes] = field(default_factory=list)
    on_success: Callable[[UpstreamConnection], None] = lambda _: None

    def on_leased(self, connection: UpstreamConnection, reused: bool) -> None:
        """Begin a request."""
        self.connection, self.reused = connection, reused
        connection.begin(self, "GET", b"request")
        self.on_success(connection)

    def on_lease_failed(self, kind: OutcomeKind) -> None:
        """Remember why."""
        self.failed = kind

    def on_answer(self, connection: UpstreamConnection) -> None:
        """Remember that one came."""
        self.answers.append(b"")
        assert connection is self.connection

    def on_lost(self, connection: UpstreamConnection) -> None:
        """Count."""
        self.lost += 1
        assert connection is self.connection

    def on_writable(self, writable: bool) -> None:
        """Not of interest here."""

    @property
    def held(self) -> UpstreamConnection:
        """The connection it was given."""
        assert self.connection is not None
        return self.connection


@pytest.fixture
def connector() -> FakeConnector:
    """Give a network that does as it is told."""
    return FakeConnector()


@pytest.fixture
def make(connector: FakeConnector) -> Callable[..., Pool]:
    """Give a maker of pools."""
    return lambda size=2, rules=RULES: Pool(rules, size, connector)


async def leased(pool: Pool, connector: FakeConnector, count: int = 1) -> list[Somebody]:
    """Lease connections that are opened for it."""
    everybody = [Somebody() for _ in range(count)]
    for somebody in everybody:
        pool.lease(somebody, NOW)
    await turn()
    for _ in everybody:
        await connector.accept()
    return everybody


def figures(pool: Pool) -> tuple[int, int, int, int]:
    """Give idle, leased, connecting, waiting."""
    found = pool.figures
    return found["idle"], found["leased"], found["connecting"], found["waiting"]


Make = Callable[..., Pool]


async def test_a_connection_is_opened_for_whoever_asks(
    make: Make, connector: FakeConnector
) -> None:
    """With the deadlines of the rules; the lessee hears that nobody has used it before."""
    pool = make()
    (somebody,) = await leased(pool, connector)
    (attempt,) = connector.attempts
    assert (attempt.instance, attempt.idle_limit, attempt.deadline) == (Instance("a", 1), 60.0, 2.0)
    assert somebody.reused is False
    assert connector.transports[0].take() == b"request"
    assert figures(pool) == (0, 1, 0, 0)


async def test_a_connection_is_used_again_without_waiting(
    make: Make, connector: FakeConnector
) -> None:
    """`on_leased` comes before `lease` returns: no task, no future."""
    pool = make()
    (first,) = await leased(pool, connector)
    pool.release(first.held, NOW)
    second = Somebody()
    pool.lease(second, NOW)
    assert (second.connection, second.reused) == (first.connection, True)
    assert len(connector.attempts) == 1


async def test_the_last_one_back_is_the_first_one_out(make: Make, connector: FakeConnector) -> None:
    """So that what is not needed grows old and is closed."""
    pool = make(3)
    one, two, three = await leased(pool, connector, 3)
    for somebody in (one, three, two):
        pool.release(somebody.held, NOW)
    again = [Somebody() for _ in range(3)]
    for somebody in again:
        pool.lease(somebody, NOW)
    assert [s.connection for s in again] == [two.connection, three.connection, one.connection]


async def test_no_more_connections_than_allowed(make: Make, connector: FakeConnector) -> None:
    """Who comes later waits, in turn, for one that comes back."""
    pool = make(2)
    first, second = await leased(pool, connector, 2)
    waiting = [Somebody() for _ in range(3)]
    for somebody in waiting:
        pool.lease(somebody, NOW)
    await turn()
    assert figures(pool) == (0, 2, 0, 3)
    assert connector.pending == 0
    pool.release(second.held, NOW)
    pool.release(first.held, NOW)
    assert [s.connection for s in waiting] == [second.connection, first.connection, None]
    assert all(s.reused for s in waiting[:2])
    assert figures(pool) == (0, 2, 0, 1)


async def test_the_queue_is_bounded_too(make: Make) -> None:
    """Beyond it the answer comes at once: better a quick refusal than a late one."""
    pool = make(1)
    everybody = [Somebody() for _ in range(QUEUE_FACTOR + 3)]
    for somebody in everybody:
        pool.lease(somebody, NOW)
    assert [s.failed for s in everybody].count(OutcomeKind.REJECTED) == 2
    assert [s.failed for s in everybody[-2:]] == [OutcomeKind.REJECTED] * 2
    assert figures(pool) == (0, 0, 1, QUEUE_FACTOR + 1)  # one of them as good as served


async def test_whoever_has_left_is_not_served(make: Make, connector: FakeConnector) -> None:
    """The connection that was being opened for it goes to the next, or stays for later."""
    pool = make(1)
    gone, next_one = Somebody(), Somebody()
    pool.lease(gone, NOW)
    pool.lease(next_one, NOW)
    pool.cancel(gone)
    pool.cancel(gone)
    await turn()
    await connector.accept()
    assert gone.connection is None
    assert next_one.connection is not None
    assert figures(pool) == (0, 1, 0, 0)


async def test_a_connection_that_nobody_waits_for_any_more_is_kept(
    make: Make, connector: FakeConnector
) -> None:
    """It is idle from the moment the pool last knew of, and so closed rather too early."""
    pool = make(1)
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    pool.cancel(somebody)
    await connector.accept()
    assert figures(pool) == (1, 0, 0, 0)
    pool.sweep(NOW + 59)
    assert figures(pool) == (1, 0, 0, 0)
    pool.sweep(NOW + 60)
    assert figures(pool) == (0, 0, 0, 0)


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError, OSError])
async def test_a_failure_to_connect_is_told_to_whoever_waits_longest(
    make: Make, connector: FakeConnector, error: type[Exception]
) -> None:
    """One attempt, one refusal; the others' attempts go on."""
    # An instance in the table would live on, and with its traceback the whole pool.
    pool = make(1)
    first, second = Somebody(), Somebody()
    pool.lease(first, NOW)
    pool.lease(second, NOW)
    await turn()
    await connector.refuse(error())
    assert (first.failed, second.failed) == (OutcomeKind.CONNECT, None)
    assert figures(pool) == (0, 0, 1, 1)
    await connector.accept()
    assert second.connection is not None


async def test_a_failure_that_nobody_waits_for_is_forgotten(
    make: Make, connector: FakeConnector
) -> None:
    """Whoever asked has left."""
    pool = make(1)
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    pool.cancel(somebody)
    await connector.refuse()
    assert figures(pool) == (0, 0, 0, 0)


async def test_an_upstream_that_closes_at_once_counts_as_not_reached(
    make: Make, connector: FakeConnector
) -> None:
    """Nothing was sent, and asking again without end would help nobody."""
    pool = make(1)
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    await connector.accept_and_close()
    assert somebody.failed is OutcomeKind.CONNECT
    assert (connector.pending, figures(pool)) == (0, (0, 0, 0, 0))


async def test_an_instance_that_is_down_takes_none_of_the_traffic(
    make: Make, connector: FakeConnector
) -> None:
    """Each is tried once before anybody hears of a failure."""
    pool = make(1, UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2", "http://c:3")))
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    await connector.refuse()
    await connector.refuse()
    assert (somebody.failed, connector.pending) == (None, 1)
    await connector.accept()
    assert [str(a.instance) for a in connector.attempts] == ["a:1", "b:2", "c:3"]
    assert somebody.connection is not None


async def test_when_all_instances_are_down_it_is_told(make: Make, connector: FakeConnector) -> None:
    """After one attempt at each."""
    pool = make(1, UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2")))
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    await connector.refuse()
    await connector.refuse()
    assert somebody.failed is OutcomeKind.CONNECT


async def test_instances_are_used_in_turn(make: Make, connector: FakeConnector) -> None:
    """Each takes its share of the connections."""
    pool = make(4, UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2")))
    await leased(pool, connector, 4)
    assert [str(a.instance) for a in connector.attempts] == ["a:1", "b:2", "a:1", "b:2"]


async def test_a_load_is_what_is_leased_and_what_is_being_opened(
    make: Make, connector: FakeConnector
) -> None:
    """Who asks at the same moment does not go to the same instance."""
    pool = make(4, UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2")))
    for _ in range(3):
        pool.lease(Somebody(), NOW)
    await turn()
    assert [str(a.instance) for a in connector.attempts] == ["a:1", "b:2", "a:1"]
    assert pool.instances == {"a:1": [1, 2], "b:2": [1, 1]}


async def test_at_the_bound_an_idle_connection_elsewhere_is_used(
    make: Make, connector: FakeConnector
) -> None:
    """Rather than a new one to the instance that was drawn, for which there is no room."""
    pool = make(2, UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2")))
    one, other = await leased(pool, connector, 2)
    pool.release(other.held, NOW)
    pool.members.all[0].connecting -= 1  # so that the one without an idle connection is drawn
    somebody = Somebody()
    pool.lease(somebody, NOW)
    pool.members.all[0].connecting += 1
    assert (somebody.connection, somebody.reused) == (other.connection, True)
    assert one.held.instance.host == "a"
    assert connector.pending == 0


async def test_idle_connections_to_an_instance_that_is_ejected_are_closed(
    make: Make, connector: FakeConnector
) -> None:
    """One that is leased is closed when it comes back, whoever waits."""
    ejection = EjectionRules(failures=1)
    rules = UpstreamRules(Side.MODERN, ("http://a:1", "http://b:2"), ejection=ejection)
    pool = make(4, rules)
    first, _, third = await leased(pool, connector, 3)
    assert first.held.instance == third.held.instance == Instance("a", 1)
    pool.release(first.held, NOW)
    pool.report(third.held, NOW, bad=True)
    assert connector.transports[0].aborted
    assert not connector.transports[2].aborted
    pool.release(third.held, NOW)
    assert connector.transports[2].aborted


async def test_whoever_waits_is_told_whether_a_connection_is_being_opened(
    make: Make, connector: FakeConnector
) -> None:
    """That has a deadline of its own; the wait for one that comes back has another."""
    pool = make(1)
    first, second = Somebody(), Somebody()
    pool.lease(first, NOW)
    pool.lease(second, NOW)
    await turn()
    assert (pool.is_opening_for(first), pool.is_opening_for(second)) == (True, False)
    await connector.refuse()
    assert (pool.is_opening_for(first), pool.is_opening_for(second)) == (False, True)


# What has been idle


async def test_what_was_idle_too_long_is_not_used(make: Make, connector: FakeConnector) -> None:
    """The upstream may be closing it at this moment."""
    pool = make()
    (first,) = await leased(pool, connector)
    pool.release(first.held, NOW)
    second = Somebody()
    pool.lease(second, NOW + 60)
    assert connector.transports[0].aborted
    assert second.connection is None
    await turn()
    await connector.accept()
    assert (second.connection, second.reused) != (first.connection, True)


@pytest.mark.parametrize(
    ("hint", "usable_for"),
    [(None, 60.0), (5.0, 5.0 - KEEP_ALIVE_MARGIN), (600.0, 60.0), (1.0, 0.0), (0.0, 0.0)],
)
async def test_the_upstream_says_how_long_it_keeps_a_connection(
    make: Make, connector: FakeConnector, hint: float | None, usable_for: float
) -> None:
    """`Keep-Alive: timeout=5` is believed, with a margin, and never beyond our own limit."""
    pool = make()
    (somebody,) = await leased(pool, connector)
    connection = somebody.held
    pool.release(connection, NOW, hint)
    assert connection.is_usable(NOW + usable_for / 2) is (usable_for > 0)
    assert not connection.is_usable(NOW + usable_for)


async def test_sweeping_closes_the_oldest_only(make: Make, connector: FakeConnector) -> None:
    """The others are still of use."""
    pool = make(3)
    one, two, three = await leased(pool, connector, 3)
    for age, somebody in ((0, one), (10, two), (20, three)):
        pool.release(somebody.held, NOW + age)
    pool.sweep(NOW + 75)
    assert [transport.aborted for transport in connector.transports] == [True, True, False]
    assert figures(pool) == (1, 0, 0, 0)


async def test_a_connection_that_ends_while_idle_is_forgotten(
    make: Make, connector: FakeConnector
) -> None:
    """The next one to ask gets a new one."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    pool.release(first.held, NOW)
    connector.transports[0].end()
    assert (figures(pool), first.lost) == ((0, 0, 0, 0), 0)
    pool.lease(Somebody(), NOW)
    await turn()
    assert connector.pending == 1


async def test_bytes_that_nobody_asked_for_close_the_connection(
    make: Make, connector: FakeConnector
) -> None:
    """They would pass for the next client's answer."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    pool.release(first.held, NOW)
    transport = connector.transports[0]
    transport.receive(b"HTTP/1.1 200 OK\r\n")
    assert transport.aborted
    assert first.answers == []
    second = Somebody()
    pool.lease(second, NOW)
    assert second.connection is None


# What ends while it is used


async def test_a_connection_that_ends_while_leased_makes_room(
    make: Make, connector: FakeConnector
) -> None:
    """Its lessee hears of it, and whoever waits gets a new one."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    waiting = Somebody()
    pool.lease(waiting, NOW)
    connector.transports[0].lose(ConnectionResetError())
    assert (first.lost, first.held.broken) == (1, True)
    await turn()
    await connector.accept()
    assert (waiting.reused, figures(pool)) == (False, (0, 1, 0, 0))


async def test_a_discarded_connection_makes_room(make: Make, connector: FakeConnector) -> None:
    """It is aborted, and its lessee hears nothing more of it."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    waiting = Somebody()
    pool.lease(waiting, NOW)
    pool.discard(first.held)
    assert connector.transports[0].aborted
    connector.transports[0].settle()
    await turn()
    await connector.accept()
    assert (first.lost, waiting.reused, figures(pool)) == (0, False, (0, 1, 0, 0))


async def test_a_connection_that_is_closing_is_not_taken_back(
    make: Make, connector: FakeConnector
) -> None:
    """Whoever waits gets a new one instead."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    waiting = Somebody()
    pool.lease(waiting, NOW)
    connector.transports[0].close()
    pool.release(first.held, NOW)
    assert waiting.connection is None
    await turn()
    await connector.accept()
    assert (waiting.reused, figures(pool)) == (False, (0, 1, 0, 0))


# A fresh one


async def test_a_fresh_lease_takes_no_idle_connection(make: Make, connector: FakeConnector) -> None:
    """One of them has just proved to be stale."""
    pool = make(2)
    (first,) = await leased(pool, connector)
    pool.release(first.held, NOW)
    somebody = Somebody()
    pool.lease(somebody, NOW, fresh=True)
    await turn()
    await connector.accept()
    assert (somebody.reused, figures(pool)) == (False, (1, 1, 0, 0))


async def test_idle_connections_do_not_keep_a_fresh_lease_waiting(
    make: Make, connector: FakeConnector
) -> None:
    """In a full pool the oldest idle one gives way."""
    pool = make(2)
    one, two = await leased(pool, connector, 2)
    pool.release(one.held, NOW)
    pool.release(two.held, NOW)
    somebody = Somebody()
    pool.lease(somebody, NOW, fresh=True)
    assert [transport.aborted for transport in connector.transports] == [True, False]
    await turn()
    await connector.accept()
    assert (somebody.reused, figures(pool)) == (False, (1, 1, 0, 0))


# From within


async def test_a_lease_from_within_a_release(make: Make, connector: FakeConnector) -> None:
    """Whoever is served may be done at once and ask again: nothing is lost or given twice."""
    pool = make(1)
    (first,) = await leased(pool, connector)
    again = Somebody()

    def at_once(connection: UpstreamConnection) -> None:
        pool.release(connection, NOW)
        pool.lease(again, NOW)

    waiting = [Somebody(on_success=at_once), Somebody()]
    for somebody in waiting:
        pool.lease(somebody, NOW)
    pool.release(first.held, NOW)
    assert [s.connection for s in waiting] == [first.connection, first.connection]
    assert (again.connection, figures(pool)) == (None, (0, 1, 0, 1))
    pool.release(first.held, NOW)
    assert again.connection is first.connection


# The end


async def test_a_closed_pool_lets_go_of_everything(make: Make, connector: FakeConnector) -> None:
    """Idle ones at once, leased ones when they come back, and one being opened when it is."""
    pool = make(3)
    one, two = await leased(pool, connector, 2)
    pool.release(one.held, NOW)
    third = Somebody()
    pool.lease(third, NOW, fresh=True)
    await turn()
    pool.cancel(third)
    pool.close()
    assert [transport.aborted for transport in connector.transports] == [True, False]
    pool.release(two.held, NOW)
    assert connector.transports[1].aborted
    assert (await connector.accept()).aborted
    for transport in connector.transports:
        transport.settle()
    assert figures(pool) == (0, 0, 0, 0)


async def test_a_closed_pool_serves_whoever_waits_already(
    make: Make, connector: FakeConnector
) -> None:
    """A change of rules fails no request."""
    pool = make(1)
    somebody = Somebody()
    pool.lease(somebody, NOW)
    await turn()
    pool.close()
    await connector.accept()
    assert somebody.connection is not None


def test_a_pool_has_room_for_one_at_least() -> None:
    """More workers than connections allowed must not mean that some serve nobody."""
    assert Pool(RULES, 0).size == 1


# Any sequence


class AnySequence(RuleBasedStateMachine):
    """Does anything in any order, and looks at the bounds after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks = _Tasks()
        self.connector = FakeConnector()
        self.now = NOW
        self.lessees: list[Somebody] = []

    @initialize(size=st.integers(1, 3), instances=st.integers(1, 3), breaks=st.booleans())
    def begin(self, size: int, instances: int, breaks: bool) -> None:
        """Make the pool, of one instance or several, with a breaker or without."""
        self.size = size
        rules = replace(
            RULES,
            instances=tuple(f"http://{name}:1" for name in "abc"[:instances]),
            ejection=EjectionRules(failures=1, max_ejected=1.0),
            breaker=BreakerRules(min_attempts=2, trials=1) if breaks else None,
        )
        chances = itertools.cycle([0.0, 0.3, 0.6, 0.9])
        self.pool = Pool(rules, size, self.connector, chance=chances.__next__)

    def _run(self, action: Callable[[], object]) -> None:
        self.tasks.run(action)

    @rule(fresh=st.booleans())
    def lease(self, fresh: bool) -> None:
        """Somebody asks."""
        somebody = Somebody()
        self.lessees.append(somebody)
        self._run(lambda: self.pool.lease(somebody, self.now, fresh))

    @rule(pick=st.integers(0, 9))
    def cancel(self, pick: int) -> None:
        """Somebody leaves."""
        waiting = [s for s in self.lessees if s.connection is None and s.failed is None]
        if waiting:
            somebody = waiting[pick % len(waiting)]
            somebody.failed = OutcomeKind.CLIENT_ABORT
            self._run(lambda: self.pool.cancel(somebody))

    @rule(pick=st.integers(0, 9), good=st.booleans(), seconds=st.sampled_from([0.0, 1.0, 40.0]))
    def give_back(self, pick: int, good: bool, seconds: float) -> None:
        """Somebody is done."""
        self.now += seconds
        holding = [s for s in self.lessees if s.connection is not None and not s.lost]
        if holding:
            somebody = holding[pick % len(holding)]
            connection = somebody.held
            self.lessees.remove(somebody)
            if good:
                self._run(lambda: self.pool.release(connection, self.now))
            else:
                self._run(lambda: self.pool.discard(connection))

    @rule(good=st.booleans())
    def connect(self, good: bool) -> None:
        """An attempt ends."""
        if self.connector.pending:
            self.tasks.resolve(self.connector, good)

    @rule(pick=st.integers(0, 9), bad=st.booleans())
    def report(self, pick: int, bad: bool) -> None:
        """Somebody says what came of a connection that it holds."""
        holding = [s for s in self.lessees if s.connection is not None and not s.lost]
        if holding and self.pool.watched:
            connection = holding[pick % len(holding)].held
            self._run(lambda: self.pool.report(connection, self.now, bad=bad))

    @rule(pick=st.integers(0, 9))
    def lose(self, pick: int) -> None:
        """The upstream closes one."""
        alive = [t for t in self.connector.transports if not t.closing]
        if alive:
            transport: FakeTransport = alive[pick % len(alive)]
            self._run(transport.lose)

    @rule()
    def tick(self) -> None:
        """The loop goes on, and the worker sweeps."""
        for transport in self.connector.transports:
            transport.settle()
        self._run(lambda: self.pool.sweep(self.now))

    @invariant()
    def bounds_hold(self) -> None:
        """Never more connections than allowed, no connection held twice, nobody forgotten."""
        idle, held, connecting, waiting = figures(self.pool)
        assert idle + held + connecting <= self.size
        connections = [
            s.connection for s in self.lessees if s.connection is not None and not s.lost
        ]
        assert len(set(map(id, connections))) == len(connections) == held
        assert waiting == sum(s.connection is None and s.failed is None for s in self.lessees)
        assert waiting <= self.size * (QUEUE_FACTOR + 1)
        assert not waiting or idle + held + connecting == self.size or connecting >= waiting
        loads = [load for _, load in self.pool.instances.values()]
        assert sum(loads) == held + connecting
        for member in self.pool.members.all:
            assert member.admitted or not member.idle or not self.pool.members.is_out(member)

    def teardown(self) -> None:
        """End the attempts."""
        self.tasks.close()


class _Tasks:
    """A loop that runs a step at a time."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()

    def run(self, action: Callable[[], object]) -> None:
        async def step() -> None:
            action()
            await turn()

        self._loop.run_until_complete(step())

    def resolve(self, connector: FakeConnector, good: bool) -> None:
        async def step() -> None:
            await (connector.accept() if good else connector.refuse())

        self._loop.run_until_complete(step())

    def close(self) -> None:
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(turn())
        self._loop.close()


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
