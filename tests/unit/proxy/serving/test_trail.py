"""The spans of an exchange: one for what the client asked, one for each attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proxy.observe.span import Kind, Span
from proxy.routing.side import Side
from tests.support_exchange import OK, RESPONSE_TIMEOUT, Scene, answer, get, on, request

LEGACY, MODERN = Side.LEGACY, Side.MODERN
Make = Callable[..., Scene]
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACED = f"traceparent: 00-{TRACE}-{PARENT}-01"
NOT_TRACED = f"traceparent: 00-{TRACE}-{PARENT}-00"


class Tracer:
    """Where spans go; `share` of the requests without a trace begin one."""

    def __init__(self, share: float = 1.0) -> None:
        self.share = share
        self.spans: list[Span] = []
        self.failure: Exception | None = None

    def offer(self, span: Span) -> None:
        """Take a span."""
        if self.failure is not None:
            raise self.failure
        self.spans.append(span)

    def take(self) -> tuple[Span, list[Span]]:
        """Give the span of one exchange, and those of its attempts."""
        found, self.spans = self.spans, []
        [server] = [span for span in found if span.kind is Kind.SERVER]
        return server, [span for span in found if span.kind is Kind.CLIENT]


def traced(it: Scene, share: float = 1.0) -> Tracer:
    """Have a plane make traces."""
    it.plane.tracer = tracer = Tracer(share)
    return tracer


def told(upstream: Any) -> str:
    """Read which trace context an upstream was sent."""
    [line] = [x for x in upstream.take().decode().split("\r\n") if x.startswith("traceparent: ")]
    return str(line.removeprefix("traceparent: "))


async def test_an_exchange_and_its_attempt(scene: Make) -> None:
    """With times as they were; the upstream hangs below the attempt."""
    it = scene(on(0))
    tracer = traced(it)
    began = it.clock.wall()
    it.client().send(get("/a", TRACED))
    upstream = await it.accept(LEGACY)
    context = told(upstream)
    it.wait(0.25)
    upstream.receive(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n")
    it.wait(0.5)
    upstream.receive(b"hi")
    server, [attempt] = tracer.take()
    assert (server.trace, server.parent, server.name) == (TRACE, PARENT, "GET /*")
    assert (attempt.trace, attempt.parent, attempt.name) == (TRACE, server.id, "GET")
    assert context == f"00-{TRACE}-{attempt.id}-01"
    assert len({PARENT, server.id, attempt.id}) == 3
    for span in (server, attempt):
        assert [span.begun, span.ended] == pytest.approx([began, began + 0.75])
        assert not span.failed
    assert dict(attempt.events) == pytest.approx({"leased": began, "answered": began + 0.25})


async def test_what_spans_tell(scene: Make) -> None:
    """What OpenTelemetry calls by its names, and of the decision what it was and why."""
    it = scene(on(100))
    tracer = traced(it)
    it.client().send(get("/a"))
    (await it.accept(MODERN)).receive(answer(404))
    server, [attempt] = tracer.take()
    version = it.plane.table.version if it.plane.table else 0
    identifier = server.attributes["cutover.request_id"]
    assert server.attributes == {
        "http.request.method": "GET",
        "url.scheme": "http",
        "url.path": "/a",
        "http.route": "/*",
        "http.response.status_code": 404,
        "network.protocol.version": "1.1",
        "cutover.route": "all",
        "cutover.side": "modern",
        "cutover.decided": "modern",
        "cutover.reason": "weight",
        "cutover.rules_version": version,
        "cutover.outcome": "ok",
        "cutover.request_id": identifier,
    }
    assert attempt.attributes == {
        "http.request.method": "GET",
        "url.path": "/a",
        "server.address": "modern.test",
        "server.port": 82,
        "http.response.status_code": 404,
        "cutover.side": "modern",
        "cutover.outcome": "ok",
    }


async def test_nothing_names_a_person(scene: Make) -> None:
    """Neither path, query, cookie, address nor body of a request can be read from its spans."""
    it = scene(on(0))
    tracer = traced(it)
    client = it.client("203.0.113.77")
    lines = ("Cookie: PHPSESSID=geheim", "Authorization: Bearer geheim", "User-Agent: geheim")
    client.send(request("GET", "/users/geheim77/x?token=geheim", *lines))
    (await it.accept(LEGACY)).receive(answer(500, b"geheim"))
    written = b"".join(span.encode() for span in tracer.spans)
    assert b"/users/*/x" in written
    assert b"geheim" not in written
    assert b"203.0.113.77" not in written


async def test_who_came_with_a_trace_has_decided(scene: Make) -> None:
    """Sampled or not is theirs to say, and what is not sampled passes as it is."""
    it = scene(on(0))
    client, upstream = it.client(), None
    for share, line, expected in ((0.0, TRACED, 2), (1.0, NOT_TRACED, 0)):
        tracer = traced(it, share)
        client.send(get("/a", line))
        upstream = upstream or await it.accept(LEGACY)
        context = told(upstream)
        upstream.receive(OK)
        assert len(tracer.spans) == expected
        assert (context == line.removeprefix("traceparent: ")) is (expected == 0)


async def test_who_came_without_one_is_drawn(scene: Make) -> None:
    """By the share; who is not drawn gets a context that says so, as without any tracing."""
    it = scene(on(0))
    client = it.client()
    tracer = traced(it, 0.0)
    client.send(get("/a"))
    upstream = await it.accept(LEGACY)
    assert told(upstream).endswith("-00")
    upstream.receive(OK)
    assert not tracer.spans
    it.plane.tracer = tracer = Tracer(1.0)
    client.send(get("/a"))
    assert told(upstream).endswith("-01")
    upstream.receive(OK)
    server, [attempt] = tracer.take()
    assert (server.parent, attempt.parent) == ("", server.id)


async def test_a_fallback_is_a_second_attempt(scene: Make) -> None:
    """Both hang below the exchange, each with the id that its upstream was told."""
    it = scene(on(100))
    tracer = traced(it)
    client = it.client()
    client.send(get("/a", TRACED))
    modern = await it.accept(MODERN)
    first = told(modern)
    modern.receive(answer(503, b"busy"))
    legacy = await it.accept(LEGACY)
    second = told(legacy)
    legacy.receive(OK)
    server, attempts = tracer.take()
    assert [f"00-{TRACE}-{each.id}-01" for each in attempts] == [first, second]
    assert [each.failed for each in attempts] == [True, False]
    assert [each.attributes.get("error.type") for each in attempts] == ["503", None]
    assert [each.attributes.get("http.request.resend_count") for each in attempts] == [None, 1]
    assert (server.attributes["cutover.side"], server.attributes["cutover.decided"]) == (
        "legacy",
        "modern",
    )
    assert not server.failed


@pytest.mark.parametrize(
    ("how", "error", "status"),
    [("connect", "connect", 502), ("reset", "reset", 502), ("timeout", "timeout", 504)],
)
async def test_a_failure_is_told_with_its_kind(
    scene: Make, how: str, error: str, status: int
) -> None:
    """Of the attempt, and of the exchange that ended with it."""
    it = scene(on(0))
    tracer = traced(it)
    it.client().send(request("POST", "/a"))
    if how == "connect":
        await it.refuse(LEGACY)
    else:
        upstream = await it.accept(LEGACY)
        if how == "reset":
            upstream.lose(ConnectionResetError())
        else:
            it.wait(RESPONSE_TIMEOUT)
    server, [attempt] = tracer.take()
    assert (server.failed, server.attributes["http.response.status_code"]) == (True, status)
    assert attempt.attributes["error.type"] == server.attributes["error.type"] == error
    assert "http.response.status_code" not in attempt.attributes
    assert ("server.address" in attempt.attributes) is (how != "connect")


async def test_a_client_that_leaves(scene: Make) -> None:
    """Is nobody's failure, and was told nothing."""
    it = scene(on(0))
    tracer = traced(it)
    client = it.client()
    client.send(get("/a"))
    await it.accept(LEGACY)
    client.leave()
    server, [attempt] = tracer.take()
    assert server.attributes["cutover.outcome"] == "client_abort"
    assert "http.response.status_code" not in {*server.attributes, *attempt.attributes}
    assert {server.failed, attempt.failed} == {False}


async def test_what_no_route_takes(scene: Make) -> None:
    """Is one span without a route; whoever asks whether we are ready leaves none."""
    it = scene({"id": "only", "match": {"path": "/only"}})
    tracer = traced(it)
    client = it.client()
    client.send(get("/other/geheim77"))
    assert client.status() == 404
    server, attempts = tracer.take()
    assert (server.name, attempts, server.attributes["url.path"]) == ("GET", [], "/other/*")


async def test_a_trace_that_fails_hurts_nobody(scene: Make) -> None:
    """It is counted, and the client has its answer."""
    it = scene(on(0))
    tracer = traced(it)
    tracer.failure = RuntimeError("full")
    client = it.client()
    client.send(get("/a"))
    (await it.accept(LEGACY)).receive(OK)
    assert client.status() == 200
    assert it.events("spans_dropped") == {"error": 2}


async def test_a_capture_says_what_it_repeats(scene: Make) -> None:
    """The exchange's own context goes with what was told of the client, if it is traced."""
    it = scene(on(0, mirror={"share": "100%"}))
    client = it.client()
    tracer = traced(it, 0.0)
    client.send(get("/a", TRACED))
    upstream = await it.accept(LEGACY)
    upstream.receive(OK)
    server, _ = tracer.take()
    client.send(get("/a"))
    upstream.receive(OK)
    first, second = it.tap.captures
    assert ("traceparent", f"00-{TRACE}-{server.id}-01") in first.provenance
    assert "traceparent" not in dict(second.provenance)
