"""Changing the share while people are being served."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

import pytest

from tests.support import eventually_async
from tests.support_app import App
from tests.support_load import Answer, Load, under_load
from tests.support_proxy import Proxy, RefusedError, bucket, rules_between

REQUESTS = 20_000
BROKEN = "version: 1\nroutes:\n  - id: orders\n    wieght: 10%\n"


@dataclass
class History:
    """Which weights may have been in force when; from the first sign of a change to its end."""

    spans: list[tuple[float, float, int]] = field(default_factory=list)

    def begins(self, weight: int) -> None:
        """From now on this weight may be in force, and the one before still may."""
        self.spans.append((time.monotonic(), float("inf"), weight))

    def settled(self) -> None:
        """From now on no other than the last weight is."""
        now = time.monotonic()
        ended = [(a, min(b, now), w) for a, b, w in self.spans[:-1]]
        self.spans = [*ended, self.spans[-1]]

    def allowed(self, answer: Answer) -> set[str]:
        """Give the sides that some weight in force during this request would have chosen."""
        own = bucket(answer.identity)
        return {
            "modern" if own < weight else "legacy"
            for begins, ends, weight in self.spans
            if begins <= answer.ended and answer.began <= ends
        }


async def test_20000_requests_while_the_weight_is_changed_20_times(
    proxy_between: Proxy, legacy: App, modern: App
) -> None:
    """By API, command line and editor, with a broken file between: no request fails or strays."""
    proxy, history = proxy_between, History()
    history.begins(5000)
    await proxy.settled()
    history.settled()

    async def by_api(weight: int) -> None:
        await proxy.send("PUT", "/routes/orders/weight", weight=f"{weight / 100:g}%")

    async def by_command(weight: int) -> None:
        said = await proxy.cli("set-weight", "orders", f"{weight / 100:g}%", "--reason", "a step")
        assert said.code == 0, said.err

    async def by_editor(weight: int) -> None:
        await proxy.edit_rules(rules_between(legacy.port, modern.port, f"{weight / 100:g}%"))

    async def by_mending(weight: int) -> None:
        proxy.write_rules(BROKEN)
        await eventually_async(lambda: _problem(proxy), what="the broken file is told of")
        with pytest.raises(RefusedError, match="mended first"):
            await by_api(weight)
        await by_editor(weight)

    ways = [by_api, by_editor, by_api, by_mending, by_api, by_command, by_editor]
    async with under_load(Load(proxy.port, clients=32, rate=None)) as load:
        for number in range(20):
            weight = (number * 3700) % 10_001
            history.begins(weight)
            await ways[number % len(ways)](weight)
            await proxy.settled()
            history.settled()
            await load.reached(50)
        await load.reached(max(0, REQUESTS - len(load.answers)))

    assert len(load.answers) >= REQUESTS
    assert load.failed == []
    strayed = [a for a in load.answers if a.side not in history.allowed(a)]
    assert strayed == []
    assert [a for a in load.answers if a.headers["x-app"] != a.side] == []
    certain = [a for a in load.answers if len(history.allowed(a)) == 1]
    assert len(certain) > REQUESTS / 2
    await _the_log_tells_the_same(proxy, load)


async def _problem(proxy: Proxy) -> str | None:
    problem: str | None = (await proxy.status())["rules_problem"]
    return problem


async def _the_log_tells_the_same(proxy: Proxy, load: Load) -> None:
    """Every request stands in the access log with the version that decided it, and obeyed it."""

    async def complete() -> bool:
        return await asyncio.to_thread(lambda: len(proxy.log_lines())) >= len(load.answers)

    await eventually_async(complete, what="the access log is complete")
    lines = proxy.log_lines()
    assert len(lines) == len(load.answers)
    weights = await _weights(proxy, {line["version"] for line in lines})
    assert len(weights) >= 20
    wrong = [
        line
        for line in lines
        if line["bucket"] is not None
        and line["side"] != ("modern" if line["bucket"] < weights[line["version"]] else "legacy")
    ]
    assert wrong == []


async def _weights(proxy: Proxy, versions: set[int]) -> dict[int, int]:
    from proxy.routing.schema import load_rules

    found: dict[int, int] = {}
    for version in versions:
        text = (await proxy.get(f"/versions/{version}"))["text"]
        route = load_rules(text, "a version")[1].route("orders")
        assert route is not None
        found[version] = route.weight
    return found
