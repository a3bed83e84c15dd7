from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from proxy.routing.limits import Allowance, LimitRules
from proxy.serving.limits import Limits, Pace, Reason, Refusal, Ticket, client_key

CLIENT = b"192.0.2.1"


NOTHING = Allowance()


def limits(
    workers: int = 1,
    clients_max: int = 1000,
    route: Allowance = NOTHING,
    client: Allowance = NOTHING,
) -> Limits:
    """Give the limits of one route, `r`."""
    found = Limits(workers, clients_max)
    found.follow([("r", LimitRules(route, client))])
    return found


def ask(found: Limits, now: float, client: bytes = CLIENT, times: int = 1) -> list[Any]:
    """Let a client ask so often at once; gives True, or reason and seconds to wait."""
    said: list[Any] = []
    for _ in range(times):
        answer = found.enter("r", client, now)
        said.append(
            (answer.reason.value, answer.retry_after) if isinstance(answer, Refusal) else True
        )
    return said


# Rates


@pytest.mark.parametrize("start", [0.0, 12_345.678, 1e7 / 3])
@pytest.mark.parametrize(
    ("rate", "burst"), [(1.0, 1), (1.0, 2), (20.0, 40), (0.1, 7), (1 / 3600, 3), (1000 / 3, 500)]
)
def test_a_burst_is_admitted_whole_and_no_more(rate: float, burst: int, start: float) -> None:
    """On any clock; sums of intervals that no float holds exactly cost nobody a request."""
    found = limits(client=Allowance(rate, burst))
    answers = ask(found, start, times=burst + 1)
    assert answers[:-1] == [True] * burst
    assert answers[-1][0] == "client_rate"


def test_who_waits_as_long_as_told_is_admitted() -> None:
    """And who comes a moment sooner is told the rest."""
    found = limits(client=Allowance(0.1, 1))
    assert ask(found, 100.0) == [True]
    assert ask(found, 100.0) == [("client_rate", 10)]
    assert ask(found, 107.5) == [("client_rate", 3)]
    assert ask(found, 109.9) == [("client_rate", 1)]
    assert ask(found, 110.0) == [True]


def test_a_refused_request_uses_nothing_up() -> None:
    """Whoever goes on asking is not punished for it."""
    found = limits(client=Allowance(1.0, 1))
    assert ask(found, 0.0) == [True]
    assert set(ask(found, 0.5, times=100)) == {("client_rate", 1)}
    assert ask(found, 1.0) == [True]


def test_clients_have_their_own_rates_and_share_the_route_s() -> None:
    """A client's limit says 429, the route's 503."""
    found = limits(client=Allowance(1.0, 2), route=Allowance(1.0, 3))
    assert ask(found, 0.0, b"a", 3) == [True, True, ("client_rate", 1)]
    assert ask(found, 0.0, b"b", 2) == [True, ("route_rate", 1)]
    assert [Refusal(reason).status for reason in Reason] == [429, 429, 503, 503]


def test_who_is_refused_by_one_limit_has_used_nothing_of_another() -> None:
    """All are asked before any is used."""
    found = limits(client=Allowance(1.0, 5), route=Allowance(0.001, 1))
    assert ask(found, 0.0, b"a") == [True]
    assert {reason for reason, _ in ask(found, 0.0, b"b", 10)} == {"route_rate"}
    assert found.remembered == 1


def test_a_burst_that_is_not_said_is_what_a_second_brings() -> None:
    """And one at least."""
    assert [Allowance(rate).at_once for rate in (20.0, 1.5, 0.2, None)] == [20, 1, 1, 1]
    assert Allowance(20.0, 3).at_once == 3


@given(
    rate=st.floats(0.01, 1000.0),
    burst=st.integers(1, 50),
    steps=st.lists(st.floats(0.0, 5.0) | st.just(0.0), min_size=1, max_size=60),
)
def test_no_interval_admits_more_than_its_burst_and_its_time(
    rate: float, burst: int, steps: list[float]
) -> None:
    """From any admitted request to any later one."""
    found = limits(client=Allowance(rate, burst))
    now, admitted = 1000.0, list[float]()
    for step in steps:
        now += step
        if ask(found, now) == [True]:
            admitted.append(now)
    for i, begin in enumerate(admitted):
        for j in range(i, len(admitted)):
            assert j - i + 1 <= burst + rate * (admitted[j] - begin) + 0.01


@given(
    rate=st.floats(0.01, 1000.0), burst=st.integers(1, 50),
    steps=st.lists(st.floats(0.0, 5.0), max_size=50),
)  # fmt: skip
def test_whoever_keeps_to_the_rate_is_never_refused(
    rate: float, burst: int, steps: list[float]
) -> None:
    """However irregularly, as long as each request comes an interval or more after the last."""
    found = limits(client=Allowance(rate, burst))
    now = 1000.0
    for step in steps:
        now += 1.0 / rate + step
        assert ask(found, now) == [True]


# What is shared by workers


def test_each_worker_has_its_part_of_the_route_s_limits() -> None:
    """One at least; a client's limits are each worker's own."""
    found = limits(4, route=Allowance(8.0, 20, 3), client=Allowance(100.0, 100, 100))
    entered = [found.enter("r", b"%d" % i, 0.0) for i in range(2)]
    assert isinstance(entered[0], Ticket)
    assert entered[1] == Refusal(Reason.ROUTE_CONCURRENCY)
    found = limits(4, route=Allowance(8.0, 20))
    assert ask(found, 0.0, times=7) == [True] * 5 + [("route_rate", 1)] * 2
    assert ask(found, 0.5, times=2) == [True, ("route_rate", 1)]


# Changes of the rules


def test_what_is_used_stays_used_when_the_rules_change() -> None:
    """A new version of the document is no amnesty, on this route or another."""
    found = limits(client=Allowance(1.0, 2, 2), route=Allowance(None, None, 3))
    ticket = found.enter("r", CLIENT, 0.0)
    assert isinstance(ticket, Ticket)
    found.follow([("r", LimitRules(client=Allowance(1.0, 2, 1), route=Allowance()))])
    assert ask(found, 0.0) == [("client_concurrency", 1)]
    found.leave(ticket)
    assert ask(found, 0.0, times=2) == [True, ("client_concurrency", 1)]


@pytest.mark.parametrize("whose", ["client", "route"])
def test_a_debt_under_old_rules_is_cut_to_what_new_ones_could_make(whose: str) -> None:
    """After 1/h nobody waits for an hour when 10/s are allowed."""
    slow, fast = Allowance(1 / 3600, 1), Allowance(10.0, 1)
    by_client = whose == "client"
    found = limits(client=slow) if by_client else limits(route=slow)
    assert ask(found, 0.0) == [True]
    found.follow([("r", LimitRules(client=fast) if by_client else LimitRules(fast))])
    assert ask(found, 0.0) == [(f"{whose}_rate", 1)]
    assert ask(found, 0.101) == [True]


def test_a_request_leaves_a_route_that_is_no_longer_limited() -> None:
    """Its ticket knows what it holds."""
    found = limits(route=Allowance(None, None, 1))
    ticket = found.enter("r", CLIENT, 0.0)
    assert isinstance(ticket, Ticket)
    found.follow([])
    found.leave(ticket)
    found.follow([("r", LimitRules(route=Allowance(None, None, 1)))])
    assert ask(found, 0.0) == [True]


# Memory


def test_clients_that_owe_nothing_are_forgotten() -> None:
    """Two for each new one, so that memory follows the present and not the past."""
    found = limits(client=Allowance(1.0, 1))
    for i in range(100):
        assert ask(found, 0.0, b"%d" % i) == [True]
    assert found.remembered == 100
    for i in range(60):
        assert ask(found, 1.0, b"new %d" % i) == [True]
    assert found.remembered == 60
    assert found.forgotten == 0


def test_at_the_bound_the_one_admitted_longest_ago_makes_room() -> None:
    """Who asks often is forgotten last; what was owed and forgotten is counted."""
    found = limits(clients_max=3, client=Allowance(0.001, 2))
    assert ask(found, 0.0, b"often") == [True]
    assert ask(found, 0.0, b"once") == [True]
    assert ask(found, 0.0, b"often") == [True]
    for i in range(2):
        assert ask(found, 0.0, b"new %d" % i) == [True]
    assert (found.remembered, found.forgotten) == (3, 1)
    assert ask(found, 0.0, b"often")[0][0] == "client_rate"
    assert ask(found, 0.0, b"once", 2) == [True, True]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("1:2:3", "1:2:4", False),
        ("3130:2e30:2e30:2e31::1", "10.0.0.1", False),
    ],
)
def test_who_counts_as_one_client(one: str, other: str, same: bool) -> None:
    """Who has one IPv6 address has its whole network; what is no address is itself."""
    assert (client_key(one.encode()) == client_key(other.encode())) is same


class Traffic(RuleBasedStateMachine):
    """Clients that come and go, over changes of the rules, against a plain account of it all."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.found = Limits(1, clients_max=10_000)
        self.limited: dict[str, LimitRules] = {}
        self.held: list[tuple[str, bytes, Ticket]] = []
        self.change(4.0, 3, 2, 4)

    @rule(
        rate=st.sampled_from([0.5, 4.0, 50.0]), burst=st.integers(1, 5),
        by_client=st.none() | st.integers(1, 3), by_route=st.none() | st.integers(1, 6),
    )  # fmt: skip
    def change(self, rate: float, burst: int, by_client: int | None, by_route: int | None) -> None:
        """Put other rules in force; the second route goes and comes."""
        one = LimitRules(Allowance(None, None, by_route), Allowance(rate, burst, by_client))
        self.limited = {"a": one} | ({"b": one} if burst % 2 else {})
        self.found.follow(self.limited.items())

    @rule(route=st.sampled_from("ab"), client=st.sampled_from([b"x", b"y", b"z"]))
    def come(self, route: str, client: bytes) -> None:
        """Ask; what is taken never exceeds what is allowed."""
        if route not in self.limited:
            return
        answer = self.found.enter(route, client, self.now)
        if isinstance(answer, Ticket):
            self.held.append((route, client, answer))

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 1000))
    def go(self, which: int) -> None:
        """Leave in any order."""
        self.found.leave(self.held.pop(which % len(self.held))[2])

    @rule(seconds=st.sampled_from([0.0, 0.1, 1.0, 60.0]))
    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds

    @invariant()
    def counts_are_those_of_the_tickets(self) -> None:
        """Nothing leaks and nothing is given back twice."""
        counted = Counter((route, client) for route, client, t in self.held if t.client is not None)
        assert self.found._in_flight == dict(counted)

    def teardown(self) -> None:
        """Let everybody go; nothing is left."""
        for _, _, ticket in self.held:
            self.found.leave(ticket)
        assert not self.found._in_flight
        assert all(route.in_flight == 0 for route in self.found._routes.values())


TestTraffic = Traffic.TestCase
TestTraffic.settings = settings(max_examples=40, stateful_step_count=30)


@given(
    st.lists(st.tuples(st.integers(0, 30), st.floats(0.0, 2.0)), min_size=1, max_size=150),
    st.integers(1, 5),
)
def test_only_what_owes_nothing_is_forgotten(came: list[tuple[int, float]], burst: int) -> None:
    """Below the bound a bounded memory answers exactly as an endless one."""
    pace = Pace(1.0, burst)
    endless: dict[int, float] = {}
    found = limits(client=Allowance(1.0, burst))
    now = 50.0
    for client, step in came:
        now += step
        moment = endless.get(client, -math.inf)
        expected = pace.wait(moment, now) <= 0.0
        assert (ask(found, now, b"%d" % client) == [True]) is expected
        if expected:
            endless[client] = pace.after(moment, now)
    assert found.forgotten == 0
