"""What a monitoring system and a log shipper see while the product works."""

from __future__ import annotations

import json
import os

from prometheus_client.parser import text_string_to_metric_families

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Load, under_load
from tests.support_proxy import Proxy

FIELDS = {
    "at", "event", "request_id", "client", "method", "path", "status", "outcome", "route", "side",
    "decided", "reason", "bucket", "version", "bytes_in", "bytes_out", "upstream_ms", "begun_ms",
    "leasing_ms", "awaiting_ms", "relaying_ms", "total_ms",
}  # fmt: skip


async def metric(proxy: Proxy, name: str, **labels: str) -> float:
    """Add up the samples of a metric that have these labels."""
    families = text_string_to_metric_families(await proxy.text("/metrics"))
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    )


async def test_metrics_count_what_clients_saw(proxy_between: Proxy, modern: App) -> None:
    """Requests by side, weights, versions and rollbacks agree with the other end of the line."""
    proxy = proxy_between
    async with under_load(Load(proxy.port)) as load:
        await load.reached(1000)
    total = "cutover_requests_total"
    for side in ("legacy", "modern"):

        async def counted(side: str = side) -> bool:
            seen = await metric(proxy, total, route="orders", side=side, outcome="ok")
            return seen == load.sides[side]

        await eventually_async(counted, what=f"every request of {side} is counted")
    assert await metric(proxy, "cutover_weight_configured", route="orders") == 0.5
    observed = await metric(proxy, "cutover_weight_observed", route="orders")
    assert abs(observed - load.sides["modern"] / len(load.answers)) < 0.01
    durations = await metric(proxy, "cutover_request_duration_seconds_count", route="orders")
    assert durations == len(load.answers)

    modern.kill()
    async with under_load(Load(proxy.port)) as load:
        while (await proxy.route())["phase"] != "ROLLED_BACK":
            await load.reached(20)
    assert await metric(proxy, "cutover_rollbacks_total", route="orders") == 1
    status = await proxy.status()
    assert await metric(proxy, "cutover_rules_version") == status["version"]


async def test_it_says_in_which_form_it_runs(proxy_between: Proxy) -> None:
    """The log's first line and a metric tell whether the hot path is the source or compiled."""
    compiled = os.environ["CUTOVER_COMPILED"] == "1"
    first = json.loads(proxy_between.log.read_text().splitlines()[0])
    assert first["event"].startswith(
        "the hot path runs compiled (" if compiled else "the hot path runs as pure Python"
    )
    assert await metric(proxy_between, "cutover_worker_compiled") == (2 if compiled else 0)


async def test_it_is_alive_and_ready_all_the_time(proxy_between: Proxy, modern: App) -> None:
    """Through a change, a dead modern and a rollback both probes say yes."""
    proxy = proxy_between
    asked = 0
    async with under_load(Load(proxy.port)) as load:
        for step in range(20):
            assert await proxy.text("/livez")
            assert await proxy.text("/readyz")
            asked += 1
            if step == 5:
                await proxy.set_weight("70%")
            if step == 10:
                modern.kill()
            await load.reached(50)
    assert asked == 20
    assert load.failed == []


async def test_every_exchange_is_one_line_of_json(proxy_between: Proxy) -> None:
    """With what was asked, who answered, why, and the id that the application was told."""
    proxy = proxy_between
    async with under_load(Load(proxy.port, clients=4)) as load:
        await load.reached(40)
    assert await proxy.stop() == 0
    lines = [json.loads(line) for line in proxy.access_log.read_text().splitlines()]
    assert len(lines) == len(load.answers)
    assert all(set(line) == FIELDS for line in lines)
    assert len({line["request_id"] for line in lines}) == len(lines)
    assert {(line["method"], line["path"], line["status"]) for line in lines} == {
        ("GET", "/orders", 200)
    }
    assert {line["side"] for line in lines} == set(load.sides)
