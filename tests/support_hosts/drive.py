"""Plays rounds on a site, and keeps the times that nobody is judged by."""

from __future__ import annotations

import asyncio
import contextlib
import statistics
import time
from dataclasses import dataclass, field, replace
from typing import Final

from tests.support_hosts.course import ACTING, Order, Round, Strike
from tests.support_hosts.faults import UNSEATS, begin, end
from tests.support_hosts.record import Act
from tests.support_hosts.site import Site

LOOK: Final = 0.02
"""Seconds between two looks at who holds the lease."""


@dataclass
class Figures:
    """Seconds, from all rounds.

    From a fault of the acting host to another that acts; from a command to its last worker, on the
    host that was asked and on the others; from the last fault's end to one version everywhere.
    """

    takeover: list[float] = field(default_factory=list)
    spread_on_host: list[float] = field(default_factory=list)
    spread_across: list[float] = field(default_factory=list)
    convergence: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return "\n".join(
            _line(name.replace("_", " "), values) for name, values in vars(self).items() if values
        )


async def play(site: Site, this: Round, figures: Figures) -> list[str]:
    """Play one round to its end, when everybody agrees again; gives what was wrong with it."""
    await _first(site, this.first, figures)
    acting, _ = await site.books.holder()
    strikes = [_aimed(strike, acting) for strike in this.strikes]
    async with asyncio.TaskGroup() as group:
        for strike in strikes:
            group.create_task(_strike(site, strike, figures))
        for order in this.orders:
            group.create_task(_ask(site, order))
    try:
        figures.convergence.append(await site.settled())
    except AssertionError as never:
        return [str(never), *await site.opinions(), *await site.violations()]
    return await site.violations()


async def _first(site: Site, order: Order, figures: Figures) -> None:
    """Change something while all is well, and see how soon it is in force everywhere."""
    with site.haste():
        promise = await site.command(Act.SET_WEIGHT, order.route, order.weight)
        if promise is None:  # it is rolled back
            promise = await site.command(Act.RESUME, order.route)
        if promise is None or promise.version <= site.newest:
            return  # so it was already
        late = await site.spread(promise)
    figures.spread_on_host.append(late.pop(promise.host))
    figures.spread_across.append(max(late.values(), default=0.0))


async def _strike(site: Site, strike: Strike, figures: Figures) -> None:
    """Strike, see who takes over, and have it over when its time has come."""
    began = time.monotonic()
    await asyncio.sleep(strike.at)
    watching = asyncio.create_task(_see_takeover(site, strike, figures))
    begin(site, strike.fault)
    try:
        await asyncio.sleep(began + strike.until - time.monotonic())
    finally:
        end(site, strike.fault)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _see_takeover(site: Site, strike: Strike, figures: Figures) -> None:
    """Note how long it takes until another host acts, if the one that is struck did."""
    struck = time.time()
    with contextlib.suppress(OSError):
        before, token = await site.books.holder()
        if strike.fault.kind not in UNSEATS or before != strike.fault.host:
            return
        while True:
            await asyncio.sleep(LOOK)
            holder, newer = await site.books.holder()
            began = site.hosts[holder].began_to_act(newer)
            if newer > token and holder != before and began is not None:
                figures.takeover.append(began - struck)
                return


async def _ask(site: Site, order: Order) -> None:
    await asyncio.sleep(order.at)
    at = site.names[order.place % len(site.names)]
    await site.command(order.act, order.route, order.weight, at)


def _aimed(strike: Strike, acting: str) -> Strike:
    fault = strike.fault
    return replace(strike, fault=replace(fault, host=acting)) if fault.host == ACTING else strike


def _line(name: str, values: list[float]) -> str:
    ordered = sorted(values)
    p95 = ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]
    return (
        f"{name:<16} {len(values):>4} times: median {statistics.median(values):6.3f} s,"
        f" p95 {p95:6.3f} s, most {ordered[-1]:6.3f} s"
    )
