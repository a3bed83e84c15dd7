"""What an exchange does about several instances, deadlines, budgets and breakers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.routing.side import Side
from proxy.upstream.fake import FakeTransport, turn
from proxy.upstream.retry import REPLAY_MAX
from tests.support_exchange import OK, Client, Scene, answer, get, on, request, sides

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]
TWO = ["http://one.test:80", "http://two.test:80"]
TIMES = {"queue": "3s", "response": "10s", "between": "4s", "exchange": "20s"}


async def asked(it: Scene, client: Client, side: Side, raw: bytes) -> FakeTransport:
    """Send a request for which a connection is made; give the upstream's end."""
    client.send(raw)
    return await it.accept(side)


async def warmed(it: Scene, side: Side, count: int = 1) -> list[FakeTransport]:
    """Leave so many idle connections to a side."""
    clients = [it.client() for _ in range(count)]
    made = [await asked(it, client, side, get("/warm")) for client in clients]
    for client, transport in zip(clients, made, strict=True):
        transport.receive(OK)
        client.received()
        transport.take()
    return made


def instances(it: Scene, side: Side) -> list[str]:
    """Give the instances that connections were asked of, in order."""
    return [attempt.instance.host for attempt in it.network[side].attempts]


# Deadlines


async def test_the_first_byte_has_a_deadline(scene: Make) -> None:
    """Nothing for so long, and it is over: 504."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES}))
    client = it.client()
    await asked(it, client, LEGACY, get())
    it.wait(9.9)
    assert client.received() == b""
    it.wait(0.1)
    assert client.status() == 504


async def test_silence_within_an_answer_has_another(scene: Make) -> None:
    """Shorter here; each piece begins it anew, and what has begun is cut off, not ended."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES}))
    client = it.client()
    upstream = await asked(it, client, LEGACY, get())
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
    for _ in range(3):
        it.wait(3.9)
        assert not client.reset
        upstream.receive(b"x")
    it.wait(4.0)
    assert client.reset


async def test_hints_do_not_begin_an_answer(scene: Make) -> None:
    """After a 103 it is still the first byte of the answer that is waited for."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES}))
    client = it.client()
    upstream = await asked(it, client, LEGACY, get())
    upstream.receive(b"HTTP/1.1 103 Hints\r\n\r\n")
    client.received()
    it.wait(9.9)
    assert client.received() == b""
    it.wait(0.1)
    assert client.status() == 504


async def test_silence_within_a_body_has_the_same(scene: Make) -> None:
    """The client is late, not the application: 408. With the last piece the first byte counts."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES}))
    slow, done = it.client(), it.client()
    head = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n"
    await asked(it, slow, LEGACY, head + b"a")
    await asked(it, done, LEGACY, head + b"abc")
    it.wait(4.0)
    assert slow.status() == 408
    assert done.received() == b""
    it.wait(6.0)
    assert done.status() == 504


async def test_the_whole_has_a_deadline_however_busy_it_is(scene: Make) -> None:
    """An answer that drips for ever ends nevertheless."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES}))
    client = it.client()
    upstream = await asked(it, client, LEGACY, get())
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
    for _ in range(6):
        it.wait(3.3)
        assert not client.reset
        upstream.receive(b"x")
    it.wait(0.3)
    assert client.reset


async def test_each_attempt_has_its_own_deadlines(scene: Make) -> None:
    """Legacy has all its time although modern has used up its own."""
    it = scene(on(100), upstreams=sides(legacy={"timeouts": TIMES}, modern={"timeouts": TIMES}))
    client = it.client()
    await asked(it, client, MODERN, get())
    it.wait(10)
    upstream = await it.accept(LEGACY)
    it.wait(9.9)
    upstream.receive(OK)
    assert client.status() == 200


async def test_the_wait_for_a_connection_has_one_too(scene: Make) -> None:
    """503 with Retry-After when none comes back in time; it says nothing of the application."""
    it = scene(on(0), upstreams=sides(legacy={"timeouts": TIMES, "max_connections": 1}))
    first, second = it.client(), it.client()
    upstream = await asked(it, first, LEGACY, get())
    second.send(get())
    it.wait(2.9)
    assert second.received() == b""
    it.wait(0.1)
    told = second.received()
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in told
    upstream.receive(OK)
    assert it.counts("all", LEGACY) == {
        "decided": 2,
        "served": 1,
        "ok": 1,
        "slow": 1,
        "rejected": 1,
    }


async def test_nobody_waits_where_nobody_may(scene: Make) -> None:
    """`max_waiting: 0` sheds at once what finds no connection, and opens all that may be."""
    it = scene(on(0), upstreams=sides(legacy={"max_waiting": 0, "max_connections": 2}))
    clients = [it.client() for _ in range(3)]
    for client in clients[:2]:
        await asked(it, client, LEGACY, get())
    clients[2].send(get())
    assert clients[2].status() == 503


# The retry budget


async def test_retries_are_bounded(scene: Make) -> None:
    """Three of four that fail at once are sent again; the fourth is told, and counted."""
    it = scene(on(0))
    stale = await warmed(it, LEGACY, 4)
    clients = [it.client() for _ in range(4)]
    for client in clients:
        client.send(get())
    for transport in stale:
        transport.lose()
    for transport in [await it.accept(LEGACY) for _ in range(3)]:
        transport.receive(OK)
    assert sorted(client.status() for client in clients) == [200, 200, 200, 502]
    assert it.events("retries") == {"legacy": 3}
    assert it.events("retry_budget_exhausted") == {"legacy": 1}


async def test_a_retry_that_has_ended_makes_room(scene: Make) -> None:
    """The bound is on what is in flight."""
    it = scene(on(0), upstreams=sides(legacy={"retry_budget": {"share": "0%", "least": 1}}))
    (transport,) = await warmed(it, LEGACY)
    for _ in range(3):
        client = it.client()
        client.send(get())
        transport.lose()
        transport = await it.accept(LEGACY)
        transport.receive(OK)
        assert client.status() == 200
    assert it.events("retry_budget_exhausted") == {}


@pytest.mark.parametrize("how", ["reset", "status"])
async def test_fallbacks_are_bounded_when_the_rules_say_so(scene: Make, how: str) -> None:
    """What legacy does not take is modern's failure as it is; what modern never saw is free."""
    budget = {"fallbacks": "0%", "least": 1}
    it = scene(on(100), upstreams=sides(legacy={"retry_budget": budget}))
    clients = [it.client() for _ in range(3)]
    made = [await asked(it, client, MODERN, get()) for client in clients[:2]]
    for transport in made:
        if how == "reset":
            transport.lose(ConnectionResetError())
        else:
            transport.receive(answer(503, b"busy", "Connection: close"))
    clients[2].send(get())
    await it.refuse(MODERN)
    for transport in [await it.accept(LEGACY) for _ in range(2)]:
        transport.receive(OK)
    statuses = [client.status() for client in clients]
    assert statuses == [200, 502 if how == "reset" else 503, 200]
    assert it.events("retry_budget_exhausted") == {"legacy": 1}


# Idempotency keys


@pytest.mark.parametrize(
    ("retry", "lines", "sent_again"),
    [
        ({"idempotency_key": True}, ("Idempotency-Key: k1",), True),
        ({"idempotency_key": True}, ("Idempotency-Key: ",), False),
        ({"idempotency_key": True}, (), False),
        ({}, ("Idempotency-Key: k1",), False),
    ],
)
async def test_a_key_allows_a_retry_where_the_route_says_so(
    scene: Make, retry: dict[str, Any], lines: tuple[str, ...], sent_again: bool
) -> None:
    """With the same key and the same body, on the same side."""
    it = scene(on(0, retry=retry))
    (stale,) = await warmed(it, LEGACY)
    client = it.client()
    client.send(request("POST", "/pay", *lines, body=b"charge"))
    first = stale.take()
    stale.lose()
    if sent_again:
        fresh = await it.accept(LEGACY)
        assert fresh.take() == first
        fresh.receive(OK)
    assert client.status() == (200 if sent_again else 502)


async def test_a_key_means_nothing_to_the_other_application(scene: Make) -> None:
    """Legacy does not know what modern has done under it."""
    it = scene(on(100, retry={"idempotency_key": True}))
    client = it.client()
    raw = request("POST", "/pay", "Idempotency-Key: k1", body=b"charge")
    (await asked(it, client, MODERN, raw)).lose(ConnectionResetError())
    assert client.status() == 502
    assert it.network[LEGACY].attempts == []


# Bodies that were not kept


@pytest.mark.parametrize("how", ["reset", "status"])
async def test_a_body_that_was_not_kept_is_reported(scene: Make, how: str) -> None:
    """It would have been served by legacy; that it was not is counted, and told in the log."""
    it = scene(on(100))
    client = it.client()
    upstream = await asked(it, client, MODERN, request("PUT", "/a", body=b"x" * (REPLAY_MAX + 1)))
    upstream.take()
    if how == "reset":
        upstream.lose(ConnectionResetError())
        assert client.status() == 502
    else:
        upstream.receive(answer(503, b"busy"))
        assert client.status() == 503
    assert it.events("unrepeatable_bodies") == {"modern": 1}
    assert it.log.lines[-1]["unrepeatable"] is True


async def test_a_body_that_was_not_kept_and_not_needed_is_no_news(scene: Make) -> None:
    """Neither when all went well nor when the method alone forbids to send it again."""
    it = scene(on(100))
    body = b"x" * (REPLAY_MAX + 1)
    for method, status in (("PUT", 200), ("POST", 503)):
        client = it.client()
        client.send(request(method, "/a", body=body))
        await turn()
        upstream = it.network[MODERN].transports[-1] if status == 503 else await it.accept(MODERN)
        upstream.take()
        upstream.receive(answer(status, b"said"))
        assert client.status() == status
    assert it.events("unrepeatable_bodies") == {}
    assert not any("unrepeatable" in line for line in it.log.lines)


# Breakers

BREAKER = {"failures": "50%", "min_attempts": 2, "duration": "5s", "trials": 1}


async def opened(it: Scene, side: Side) -> None:
    """Let a side fail until its breaker is open."""
    for _ in range(2):
        client = it.client()
        client.send(request("POST", "/a"))
        await it.refuse(side)
        if side is MODERN:
            (await it.accept(LEGACY)).lose()
        client.received()
    assert it.events("breaker_openings") == {side.value: 1}


async def test_an_open_breaker_sends_everybody_to_legacy(scene: Make) -> None:
    """At once, and whatever the method: modern sees none of it."""
    it = scene(on(100), upstreams=sides(modern={"breaker": BREAKER}))
    await opened(it, MODERN)
    attempts = len(it.network[MODERN].attempts)
    client = it.client()
    (await asked(it, client, LEGACY, request("POST", "/a", body=b"charge"))).receive(OK)
    assert client.status() == 200
    assert len(it.network[MODERN].attempts) == attempts
    assert it.events("breaker_rejections") == {"modern": 1}


async def test_an_open_breaker_of_legacy_sheds(scene: Make) -> None:
    """503 with Retry-After, and why."""
    it = scene(on(0), upstreams=sides(legacy={"breaker": BREAKER}))
    await opened(it, LEGACY)
    client = it.client()
    client.send(get())
    told = client.received()
    assert told.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nRetry-After: 1\r\n" in told
    assert b"the application is left alone for a moment" in told


async def test_a_good_trial_closes_the_breaker(scene: Make) -> None:
    """After its pause one request is let through, and others when that was answered."""
    it = scene(on(0), upstreams=sides(legacy={"breaker": BREAKER}))
    await opened(it, LEGACY)
    it.wait(5.0)
    trial, other = it.client(), it.client()
    upstream = await asked(it, trial, LEGACY, get())
    other.send(get())
    assert other.status() == 503
    upstream.receive(OK)
    assert trial.status() == 200
    other.send(get())
    upstream.receive(OK)
    assert other.status() == 200


@pytest.mark.parametrize("listed", [True, False])
async def test_answers_count_as_failures_only_where_the_rules_list_them(
    scene: Make, listed: bool
) -> None:
    """An application that answers 503 is reachable; the operator says what that is worth."""
    legacy = {"breaker": BREAKER, "failure_statuses": [503] if listed else []}
    it = scene(on(0), upstreams=sides(legacy=legacy))
    client = it.client()
    upstream = await asked(it, client, LEGACY, get())
    upstream.receive(answer(503))
    client.send(get())
    upstream.receive(answer(503))
    client.received()
    client.send(get())
    if not listed:
        upstream.receive(OK)
    assert client.status() == (503 if listed else 200)


# Several instances


async def test_an_instance_that_fails_is_left_out(scene: Make) -> None:
    """After as many failures in a row as the rules say; and it comes back."""
    ejection = {"failures": 2, "duration": "10s"}
    it = scene(on(0), upstreams=sides(legacy={"instances": TWO, "ejection": ejection}))
    for _ in range(2):
        client = it.client()
        (await asked(it, client, LEGACY, get())).lose(ConnectionResetError())
        assert client.status() == 502
    assert instances(it, LEGACY) == ["one.test", "one.test"]
    assert it.events("ejections") == {"one.test:80": 1}
    client = it.client()
    other = await asked(it, client, LEGACY, get())
    for _ in range(3):
        other.receive(OK)
        assert client.status() == 200
        client.send(get())
    assert instances(it, LEGACY)[2:] == ["two.test"]
    assert it.plane.batch(it.plane.tallies.take_all()).instances["legacy"] == {
        "one.test:80": [0, 0],
        "two.test:80": [1, 1],
    }
    it.wait(10.0)
    again = it.client()
    (await asked(it, again, LEGACY, get())).receive(OK)
    other.receive(OK)
    assert instances(it, LEGACY)[3:] == ["one.test"]


async def test_a_success_between_failures_keeps_an_instance_in(scene: Make) -> None:
    """Answers are reported, too."""
    ejection = {"failures": 2}
    it = scene(on(0), upstreams=sides(legacy={"instances": TWO, "ejection": ejection}))
    client = it.client()
    for how in ("lose", "answer", "lose", "answer", "lose"):
        upstream = await asked(it, client, LEGACY, get())
        if how == "lose":
            upstream.lose(ConnectionResetError())
        else:
            upstream.receive(answer(200, b"", "Connection: close"))
        client.received()
    assert instances(it, LEGACY) == ["one.test"] * 5
    assert it.events("ejections") == {}


async def test_an_instance_that_cannot_be_reached_costs_nobody_anything(scene: Make) -> None:
    """The other is tried at once, a POST included: no byte of it was sent."""
    it = scene(on(0), upstreams=sides(legacy={"instances": TWO, "ejection": {"failures": 2}}))
    for _ in range(3):
        client = it.client()
        client.send(request("POST", "/a", body=b"charge"))
        await turn()
        if it.network[LEGACY].attempts[-1].instance.host == "one.test":
            await it.refuse(LEGACY)
        (await it.accept(LEGACY)).receive(answer(200, b"", "Connection: close"))
        assert client.status() == 200
    assert instances(it, LEGACY) == ["one.test", "two.test", "one.test", "two.test", "two.test"]


async def test_when_all_are_out_all_are_used(scene: Make) -> None:
    """An outage is never the health check's doing; it is counted."""
    ejection = {"failures": 1, "max_ejected": "100%", "duration": "60s"}
    it = scene(on(0), upstreams=sides(legacy={"instances": TWO, "ejection": ejection}))
    client = it.client()
    client.send(get())
    await it.refuse(LEGACY)
    await it.refuse(LEGACY)
    assert client.status() == 502
    assert it.events("ejections") == {"one.test:80": 1, "two.test:80": 1}
    (await asked(it, client, LEGACY, get())).receive(OK)
    assert client.status() == 200
    assert it.events("panic_leases") == {"legacy": 1}


async def test_a_change_of_rules_forgets_nothing_of_an_instance(scene: Make) -> None:
    """An edit of the file readmits nobody."""
    legacy: dict[str, Any] = {"instances": TWO, "ejection": {"failures": 1, "duration": "60s"}}
    it = scene(on(0), upstreams=sides(legacy=legacy))
    client = it.client()
    (await asked(it, client, LEGACY, get())).lose(ConnectionResetError())
    client.received()
    it.apply(on(0), upstreams=sides(legacy={**legacy, "max_connections": 7}))
    for _ in range(3):
        (await asked(it, client, LEGACY, get())).receive(answer(200, b"", "Connection: close"))
        client.received()
        client = it.client()
    assert instances(it, LEGACY) == ["one.test", "two.test", "two.test", "two.test"]


# A POST is never sent twice

STEPS = st.sampled_from(
    ["refuse", "close", "reset", "lose", "partial", "timeout", "503", "bad", "ok"]
)


@settings(max_examples=150, deadline=None)
@given(
    method=st.sampled_from(["POST", "PATCH"]),
    size=st.sampled_from([0, 6, REPLAY_MAX + 1]),
    key=st.booleans(),
    weight=st.sampled_from([0, 100]),
    warm=st.integers(0, 2),
    steps=st.lists(STEPS, min_size=1, max_size=8),
    pieces=st.booleans(),
)
def test_a_post_is_never_sent_twice(
    method: str, size: int, key: bool, weight: int, warm: int, steps: list[str], pieces: bool
) -> None:
    """Whatever fails, on any side and instance: its bytes reach one connection at most."""
    asyncio.run(_post(method, size, key, weight, warm, steps, pieces))


async def _post(
    method: str, size: int, key: bool, weight: int, warm: int, steps: list[str], pieces: bool
) -> None:
    both = {"instances": TWO, "ejection": {"failures": 1, "max_ejected": "100%"}}
    it = Scene(on(weight), upstreams=sides(legacy=both, modern=both))
    side = MODERN if weight else LEGACY
    await warmed(it, side, warm)
    client = it.client()
    lines = ("Idempotency-Key: k",) if key else ()
    raw = request(method, "/pay", *lines, body=b"x" * size)
    cut = len(raw) - size // 2
    client.send(*([raw[:cut], raw[cut:]] if pieces and size else [raw]))
    for step in steps:
        await turn()
        await _befall(it, step)
    await turn()
    transports = [t for connector in it.network.values() for t in connector.transports]
    assert sum(bytes(t.sent).count(b" /pay HTTP/1.1\r\n") for t in transports) <= 1
    it.check_nothing_is_left()
    for connector in it.network.values():
        while connector.pending:
            await connector.refuse()


async def _befall(it: Scene, step: str) -> None:
    """Let something happen to the attempt that is under way, wherever it is."""
    for connector in it.network.values():
        if connector.pending:
            if step == "refuse":
                await connector.refuse()
            elif step == "close":
                await connector.accept_and_close()
            else:
                await connector.accept()
    waiting = [
        transport
        for connector in it.network.values()
        for transport in connector.transports
        if not transport.closing and b" /pay " in transport.sent
    ]
    for transport in waiting:
        transport.take()
        if step == "reset":
            transport.lose(ConnectionResetError())
        elif step in ("lose", "close"):
            transport.lose()
        elif step == "partial":
            transport.receive(b"HTTP/1.1 200 O")
            transport.lose()
        elif step == "timeout":
            it.wait(30.0)
        elif step in ("503", "bad", "ok"):
            said = {"503": answer(503, b"busy"), "bad": b"HTTP/1.1 2x0\r\n\r\n", "ok": OK}[step]
            transport.receive(said)
