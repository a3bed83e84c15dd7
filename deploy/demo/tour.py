"""The script of the tour, act by act, from the first shadow to a rollback and back."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.demo.admin import Admin, Plain, TourError, until
from deploy.demo.traffic import Traffic
from deploy.stack.program import shown
from deploy.stack.stack import Stack

ROUTE = "plans"
DECLARED = "[number_as_string, int_bool, php_datetime, empty_map_list]"


@dataclass(slots=True)
class Tour:
    """Everything an act needs. `compared` is how many comparisons count as evidence."""

    stack: Stack
    admin: Admin
    traffic: Traffic
    out: Console
    compared: int
    hold: float

    async def run(self) -> None:
        """Play all acts in order; raises TourError when one does not end as it should."""
        acts = (
            ("Shadow: legacy serves everybody, modern answers in its shadow", self.shadow),
            ("The operator declares what is only spelling", self.declare),
            ("The plan runs by itself: 10%, 50%, 90%, 100%", self.climb),
            ("Modern breaks", self.break_and_roll_back),
            ("Mended: resume at 10%, and the plan goes on", self.resume),
        )
        await self._clean()
        for number, (title, act) in enumerate(acts, 1):
            self.out.rule(f"[bold]{number}. {title}", align="left")
            await act()
        self._farewell()

    # The acts

    async def shadow(self) -> None:
        """Nobody is served by modern; its answers are compared with legacy's."""
        await self._comparisons(self.compared)
        route = await self.admin.route(ROUTE)
        found = (await self.admin.get("/differences", route=ROUTE))["differences"]
        if not found:
            raise TourError("no difference was found between the two sides, and there are some")
        served = self.traffic.tally.share(ROUTE)
        self._say(
            f"{route['coverage']['compared']} answers compared,"
            f" {route['coverage']['mismatch']} differ. Clients served by modern: {served or 0:.0%}."
            f"\nThe plan: [bold]{escape(route['verdict_reason'])}[/]"
        )
        table = Table("where", "legacy", "modern", "critical", "seen", box=None, header_style="dim")
        for one in found[:8]:
            critical = "[red]yes" if one["critical"] else "no"
            values = (_shown(one["example_old"]), _shown(one["example_new"]))
            table.add_row(" ".join(one["paths"][:3]), *values, critical, str(one["count"]))
        self.out.print(table)

    async def declare(self) -> None:
        """The rules file is edited; the running proxy follows."""
        version = (await self.admin.get("/status"))["version"]
        rules = self.stack.cutover.rules
        text = rules.read_text()
        rules.write_text(text.replace("equivalences: []", f"equivalences: {DECLARED}", 1))

        async def followed() -> int | None:
            now: int = (await self.admin.get("/status"))["version"]
            return now if now > version else None

        number, waited = await until("the new rules", followed, every=0.02)
        self._say(
            f'"9.90" and 9.9, 1 and true, two ways to write a date: the same to PHP and Python.'
            f"\n[dim]{shown(rules)}:[/] equivalences: {escape(DECLARED)}"
            f"\nVersion {number} was in force {waited * 1000:.0f} ms after the file was saved."
        )
        route = await self.admin.route(ROUTE)
        waits = escape(route["verdict_reason"])
        self._say(f"What was seen before counts no more: [bold]{waits}[/]")

    async def climb(self) -> None:
        """Nobody touches anything: the plan takes its steps, each on evidence."""
        self.traffic.reset()
        moved_back = self.traffic.tally.moved_back
        await self._follow_plan(100)
        tally = self.traffic.tally
        if tally.moved_back > moved_back:
            raise TourError("a customer went back to legacy while the weight was raised")
        if tally.failures:
            raise TourError(f"customers saw failures: {dict(tally.failures)}")
        self._say("No customer who had moved went back, and none saw an error.")
        await self._observe(100)

    async def break_and_roll_back(self) -> None:
        """One route of modern begins to answer 500."""
        last = (await self.admin.get("/decisions", limit=1))["decisions"]
        self.traffic.reset()
        broken_at = time.time()
        await self._fault("PUT", {"path": "/api/plans", "mode": "error", "rate": 1.0})
        self._say("GET /api/plans now fails on modern, for every request.")

        async def rolled_back() -> Plain | None:
            newest: list[Plain] = (await self.admin.get("/decisions", limit=1, route=ROUTE))[
                "decisions"
            ]
            fresh = newest and (not last or newest[0]["id"] > last[0]["id"])
            return newest[0] if fresh and newest[0]["action"] == "rollback" else None

        decision, seen = await until("the rollback", rolled_back, every=0.02)
        await asyncio.sleep(self.hold)
        tally = self.traffic.tally
        evidence = decision["evidence"]
        self._say(f"[bold red]Rolled back[/] {seen * 1000:.0f} ms later. {decision['reason']}")
        self.out.print(_facts(evidence, decision, broken_at))
        self._say(
            f"Since then {tally.requests} requests; errors seen by customers:"
            f" [bold]{sum(tally.failures.values())}[/]. What modern failed, legacy answered."
        )
        if tally.failures:
            raise TourError(f"customers saw failures: {dict(tally.failures)}")

    async def resume(self) -> None:
        """Modern is mended and the operator lets it back, at 10%."""
        await self._fault("DELETE", None)
        self._say(
            "The fault is gone. The route stays on legacy until a person says otherwise, and its"
            " mirror goes on, so that the mending can be seen first."
        )
        before = (await self.admin.route(ROUTE))["coverage"]
        await self._comparisons(before["compared"] + self.compared // 2)
        await self.admin.send(
            "POST", f"/routes/{ROUTE}/resume", reason="fault mended", weight="10%", force=True
        )
        await self._follow_plan(50)

    # What acts share

    async def _clean(self) -> None:
        """Begin from a known state, whatever an earlier tour has left."""
        await self._fault("DELETE", None)
        route = await self.admin.route(ROUTE)
        if route["rolled_back"]:
            await self.admin.send(
                "POST", f"/routes/{ROUTE}/resume", reason="a new tour", weight="0%", force=True
            )
        elif route["progress"]["held"]:  # by the tour's own rules, which an earlier one has moved
            await self.admin.send("POST", f"/routes/{ROUTE}/resume", reason="a new tour")

    async def _follow_plan(self, percent: int) -> None:
        """Tell each step that the plan takes, until it has come so far."""
        told = await self._last_decision()

        async def next_step() -> Plain | None:
            path = "/decisions"
            newest: list[Plain] = (await self.admin.get(path, limit=20, route=ROUTE))["decisions"]
            return next((one for one in reversed(newest) if one["id"] > told), None)

        while True:
            with self.out.status("the plan waits for its evidence…"):
                step, waited = await until("the next step of the plan", next_step, 120.0, 0.1)
            told = step["id"]
            if step["action"] != "advance":
                raise TourError(f"the plan did not advance: {step['action']}: {step['reason']}")
            evidence = step["evidence"]
            self._say(
                f"[bold green]{evidence['weight']:g}%[/] after {waited:.0f} s, by"
                f" {step['author']}: {escape(step['reason'])}.\n[dim]{escape(evidence['power'])}[/]"
            )
            if evidence["weight"] >= percent:
                return

    async def _last_decision(self) -> int:
        newest: list[Plain] = (await self.admin.get("/decisions", limit=1))["decisions"]
        return newest[0]["id"] if newest else 0

    async def _observe(self, percent: int) -> None:
        self.traffic.reset()
        await asyncio.sleep(self.hold)
        tally = self.traffic.tally
        share, route = tally.share(ROUTE), await self.admin.route(ROUTE)
        table = Table("side", "requests", "median", "p95", box=None, header_style="dim")
        for side in ("legacy", "modern"):
            values = sorted(tally.latencies.get(side, []))
            count = tally.answers[ROUTE, side]
            table.add_row(side, str(count), _quantile(values, 0.5), _quantile(values, 0.95))
        self.out.print(table)
        self._say(
            f"Configured {percent}%, modern answered {share or 0:.1%} of {ROUTE}"
            f" (a crowd of {self.traffic.customers} customers); verdict: {route['verdict']}."
        )
        if sum(tally.failures.values()):
            raise TourError(f"customers saw failures: {dict(tally.failures)}")

    async def _comparisons(self, count: int) -> Plain:
        async def enough() -> Plain | None:
            route = await self.admin.route(ROUTE)
            return route if route["coverage"]["compared"] >= count else None

        with self.out.status(f"waiting for {count} comparisons of {ROUTE}…"):
            route, _ = await until(f"{count} comparisons", enough, 120.0, 0.2)
        return route

    async def _fault(self, method: str, body: Plain | None) -> None:
        url = f"http://127.0.0.1:{self.stack.ports.modern}/_faults"
        async with httpx.AsyncClient() as client:
            answer = await client.request(method, url, json=body)
        if answer.status_code >= 400:
            raise TourError(
                f"the fault switch answered {answer.status_code}: is it the demo's app?"
            )

    def _say(self, text: str) -> None:
        self.out.print(f"   {text}".replace("\n", "\n   "), highlight=False, soft_wrap=True)

    def _farewell(self) -> None:
        self.out.rule()
        self._say(
            f"Everything you saw is in the console: [bold]{self.admin.base_url}[/]"
            "\nThe stack goes on running; make stop ends it, make run goes back to the"
            " standard rules."
        )


def _shown(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 28 else text[:27] + "…"


def _quantile(values: list[float], q: float) -> str:
    return f"{values[int(q * (len(values) - 1))] * 1000:.1f} ms" if values else "-"


def _facts(evidence: dict[str, Any], decision: Plain, broken_at: float) -> Table:
    table = Table(box=None, show_header=False)
    table.add_row("   [dim]detector", str(evidence.get("detector", "-")))
    for name in ("value", "bound"):
        value = evidence.get(name)
        if isinstance(value, (int, float)):
            rate = str(evidence.get("detector", "")).endswith("_rate")
            table.add_row(f"   [dim]{name}", f"{value:.2%}" if rate else f"{value:.4g}")
    table.add_row("   [dim]requests looked at", str(evidence.get("n", "-")))
    table.add_row("   [dim]rules version", str(decision["version"]))
    samples = evidence.get("samples") or []
    if samples and "at" in samples[0]:
        first = datetime.fromisoformat(samples[0]["at"]).timestamp()
        decided = datetime.fromisoformat(decision["at"]).timestamp()
        table.add_row("   [dim]fault to first failure", f"{(first - broken_at) * 1000:.0f} ms")
        table.add_row("   [dim]first failure to rollback", f"{(decided - first) * 1000:.0f} ms")
    return table
