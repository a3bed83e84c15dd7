"""What a collector is told of the traffic, and that nobody else notices what becomes of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.acceptance.test_signs_of_life import metric
from tests.support import eventually_async
from tests.support_app import App
from tests.support_collector import OK, FakeCollector, running_collector
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy, rules_between

Span = dict[str, Any]


@pytest.fixture
async def collector() -> AsyncIterator[FakeCollector]:
    """Give a collector that takes what comes."""
    async with running_collector() as made:
        yield made


def exchanges(spans: list[Span]) -> dict[str, Span]:
    """Give the spans of what clients asked, by their ids."""
    return {span["spanId"]: span for span in spans if span["kind"] == 2}


def repeated(spans: list[Span]) -> set[str]:
    """Give the ids of the exchanges that were repeated on the other side."""
    asked = {span["spanId"]: span["attributes"]["cutover.side"] for span in spans}
    return {
        link["spanId"]
        for span in spans
        for link in span.get("links", ())
        if asked.get(link["spanId"]) not in (None, span["attributes"]["cutover.side"])
    }


async def test_traces_reach_a_collector_and_its_troubles_nobody(
    legacy: App, modern: App, collector: FakeCollector, make_proxy: Callable[..., Proxy]
) -> None:
    """Every request is a trace whose parts fit together, also in the applications' eyes.

    Then the collector is slow, refuses, is gone and comes back; clients are served as ever, and
    what it did not get is counted.
    """
    proxy = make_proxy(
        rules_between(legacy.port, modern.port, mirror="100%"),
        "--otlp", f"http://127.0.0.1:{collector.port}", "--trace-share", "100%",
    )  # fmt: skip
    await proxy.start()
    async with under_load(Load(proxy.port)) as load:
        await load.reached(100)
    answered = len(load.answers)

    async def is_complete() -> bool:
        return len(exchanges(collector.spans)) == len(repeated(collector.spans)) == answered

    await eventually_async(is_complete, what="every request and its repetition has its span")
    _check_that_they_fit(collector.spans, legacy, modern)

    async def is_counted() -> bool:
        return await metric(proxy, "cutover_spans_sent_total") == len(collector.spans)

    await eventually_async(is_counted, what="every span that was taken is counted")
    assert await metric(proxy, "cutover_spans_dropped_total") == 0

    collector.answer = b""  # it takes connections and says nothing
    await _serves_all(proxy)
    await eventually_async(lambda: _is(collector.asked > answered // 100), what="it was asked")
    collector.answer = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    collector.stop()
    await _serves_all(proxy)
    await collector.start()
    await _serves_all(proxy)

    async def dropped() -> float:
        return await metric(proxy, "cutover_spans_dropped_total", reason="refused")

    assert await eventually_async(dropped, 20, "what was refused is counted")
    collector.answer = OK
    before = len(collector.spans)
    await _serves_all(proxy)
    await eventually_async(lambda: _is(len(collector.spans) > before), 20, "it takes spans again")
    assert await proxy.stop() == 0


def _check_that_they_fit(spans: list[Span], legacy: App, modern: App) -> None:
    """Each attempt hangs below its exchange, is what the application was told, and is repeated."""
    servers = exchanges(spans)
    contexts = {
        "legacy": {seen.headers["traceparent"]: seen for seen in legacy.seen},
        "modern": {seen.headers["traceparent"]: seen for seen in modern.seen},
    }
    for span in spans:
        if span["spanId"] in servers:
            continue
        side = span["attributes"]["cutover.side"]
        seen = contexts[side].pop(f"00-{span['traceId']}-{span['spanId']}-01")
        assert seen.mirrored is ("cutover.mirrored" in span["attributes"])
        if seen.mirrored:
            [link] = span["links"]
            server = servers[link["spanId"]]
            assert link["traceId"] == server["traceId"] != span["traceId"]
        else:
            server = servers[span["parentSpanId"]]
            assert span["traceId"] == server["traceId"]
            assert side == server["attributes"]["cutover.side"]
    assert not contexts["legacy"]
    assert not contexts["modern"]
    assert {span["service"]["service.name"] for span in spans} == {"cutover"}


async def _serves_all(proxy: Proxy) -> None:
    async with under_load(Load(proxy.port)) as load:
        await load.reached(100)
    assert all(answer.good for answer in load.answers)


async def _is(true: bool) -> bool:
    return true
