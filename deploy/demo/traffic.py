"""Many customers at once, in an open loop: they come when they come, not when we are ready."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from http.cookies import SimpleCookie
from random import Random
from typing import Final

import httpx

from deploy.demo.customers import Customer, Step, crowd

IN_FLIGHT_MAX: Final = 400
READS: Final = frozenset({"plans", "plan", "profile", "subscriptions", "history"})


@dataclass(slots=True)
class Tally:
    """What customers have seen since the last reset."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    moved_back: int = 0

    @property
    def requests(self) -> int:
        """All answered requests."""
        return sum(self.answers.values())

    def share(self, kind: str) -> float | None:
        """Share of a kind of request that modern answered, or None without any."""
        modern, legacy = self.answers[kind, "modern"], self.answers[kind, "legacy"]
        return modern / (modern + legacy) if modern + legacy else None


class Traffic:
    """A crowd that sends `rate` requests a second on average, at random moments."""

    def __init__(self, base_url: str, *, rate: float, customers: int, seed: int) -> None:
        self.tally = Tally()
        self.shed = 0
        self.customers = customers
        self._rate = rate
        self._crowd = crowd(customers, seed)
        self._dice = Random(seed)  # noqa: S311 - a seeded crowd
        self._sides: dict[tuple[int, str], str] = {}
        self._running: set[asyncio.Task[None]] = set()
        limits = httpx.Limits(max_connections=IN_FLIGHT_MAX, max_keepalive_connections=64)
        # Every customer has a jar; one that the client kept for all would make them one person.
        no_jar = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
        self._client = httpx.AsyncClient(
            base_url=base_url, limits=limits, timeout=30.0, cookies=no_jar
        )

    def reset(self) -> None:
        """Begin to count anew; who was served by which side stays remembered."""
        self.tally = Tally()

    async def run(self) -> None:
        """Send until cancelled."""
        due = time.monotonic()
        while True:
            due += self._dice.expovariate(self._rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            customer = self._dice.choice(self._crowd)
            # A person does one thing at a time; two first visits at once would be two strangers.
            if customer.busy or len(self._running) >= IN_FLIGHT_MAX:
                self.shed += 1
                continue
            task = asyncio.create_task(self._visit(customer, due))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Wait for requests in flight."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await asyncio.gather(*self._running, return_exceptions=True)
        await self._client.aclose()

    async def _visit(self, customer: Customer, due: float) -> None:
        step = customer.next_step()
        customer.busy = True
        try:
            await self._send(customer, step, due)
        finally:
            customer.busy = False

    async def _send(self, customer: Customer, step: Step, due: float) -> None:
        cookies = "; ".join(f"{name}={value}" for name, value in customer.cookies.items())
        headers = {"Cookie": cookies} if cookies else {}
        try:
            answer = await self._client.request(
                step.method, step.path, json=step.body, headers=headers
            )
        except httpx.HTTPError as error:
            self.tally.failures[f"{step.kind}: {type(error).__name__}"] += 1
            return
        self._take(customer, step, answer, time.monotonic() - due)

    def _take(self, customer: Customer, step: Step, answer: httpx.Response, latency: float) -> None:
        for line in answer.headers.get_list("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                customer.cookies[name] = morsel.value
        side = answer.headers.get("cutover-side", "none")
        self.tally.answers[step.kind, side] += 1
        self.tally.latencies.setdefault(side, []).append(latency)
        if answer.status_code >= 500:
            self.tally.failures[f"{step.kind}: {answer.status_code}"] += 1
        key = (customer.user_id, step.kind)
        if self._sides.get(key) == "modern" and side == "legacy":
            self.tally.moved_back += 1
        self._sides[key] = side
        with contextlib.suppress(ValueError):
            customer.learn(step, answer.status_code, answer.json())
