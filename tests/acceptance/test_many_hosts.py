"""Three proxy hosts, one Redis, one PostgreSQL, and whatever can happen to them.

Each host has a network of its own, and two workers that never stop being asked. After every story
all that was seen of them is judged (`tests.support_hosts.judge`).
"""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from itertools import islice

import pytest
import pytest_asyncio

from tests.support import eventually_async
from tests.support_hosts.course import ROUTES, rounds
from tests.support_hosts.drive import Figures, play
from tests.support_hosts.judge import AUTOMATIC
from tests.support_hosts.record import Act
from tests.support_hosts.servers import POSTGRES, REDIS
from tests.support_hosts.site import Site, running_site

pytestmark = pytest.mark.asyncio(loop_scope="module")

ROUNDS = int(os.environ.get("ROUNDS", "6"))
SEED = int(os.environ.get("SEED", "1"))
"""Of what happens; when it happens is never twice the same."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hosts() -> AsyncIterator[Site]:
    """Give three hosts that run, to all stories."""
    async with running_site(SEED) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="module")
async def site(hosts: Site) -> AsyncIterator[Site]:
    """Give them to one story; whatever it has done to them, they agree at its end."""
    yield hosts
    hosts.mend()
    await hosts.settled()
    assert await hosts.violations() == []


@pytest_asyncio.fixture(loop_scope="module")
async def halfway(site: Site) -> Site:
    """Give hosts that send half of everybody to modern."""
    await site.command(Act.UNKILL)
    for route in ROUTES:
        await site.command(Act.RESUME, route)
        await site.insist(Act.SET_WEIGHT, route, 5000)
    await site.settled()
    return site


async def test_the_acting_host_dies(halfway: Site) -> None:
    """Another acts within seconds; nobody is hurt on the others, and what was ordered stands."""
    site = halfway
    await site.insist(Act.ROLLBACK, "orders")
    dead, token = await site.books.holder()
    site.excuse(dead, "it is dead")
    site.hosts[dead].crash()
    acting = await site.another_acts(token)
    assert acting != dead
    assert (await site.hosts[acting].route("orders"))["phase"] == "ROLLED_BACK"
    await site.insist(Act.SET_WEIGHT, "invoices", 3000)


async def test_a_paused_one_is_woken(halfway: Site) -> None:
    """It has been succeeded: what it was asked meanwhile is not done, and it says who acts."""
    site = halfway
    paused, token = await site.books.holder()
    host = site.hosts[paused]
    host.pause("controller")
    acting = await site.another_acts(token)
    await site.insist(Act.ROLLBACK, "orders", at=acting)
    answer = await host.knock("POST", "/api/v1/routes/orders/resume", b'{"reason": "late"}')
    host.wake("controller")
    assert await answer() in (421, 503)
    said = await host.cli("resume", "orders", "--force", "--reason", "still late")
    assert said.code != 0
    assert acting in said.err
    assert (await site.hosts[acting].route("orders"))["phase"] == "ROLLED_BACK"


async def test_a_host_that_is_cut_off_serves_by_what_it_knows(halfway: Site) -> None:
    """It says so, its clients notice nothing, and it follows once it hears again."""
    site = halfway
    acting, _ = await site.books.holder()
    lonely = next(name for name in site.names if name != acting)
    before = site.newest
    for server in (REDIS, POSTGRES):
        site.lan.cut(lonely, server)
    promise = await site.insist(Act.SET_WEIGHT, "orders", 7700)

    async def says_so() -> bool:
        status = await site.hosts[lonely].status()
        return (status["acting"], status["version"]) == (None, before)

    await eventually_async(says_so, 20, "it says that it hears nobody")
    assert site.watches[lonely].reached() == before
    refused = await site.hosts[lonely].cli("rollback", "orders", "--reason", "x")
    assert refused.code != 0
    site.lan.heal(lonely, REDIS)
    await site.spread(promise)


async def test_modern_fails_while_the_acting_host_dies(halfway: Site) -> None:
    """Whoever acts next sees what the workers see, and takes the route back; nobody is hurt."""
    site = halfway
    dead, token = await site.books.holder()
    site.modern.failing = 1.0
    site.excuse(dead, "it is dead")
    site.hosts[dead].crash()
    acting = await site.another_acts(token)

    async def taken_back() -> bool:
        phase: str = (await site.hosts[acting].route("orders"))["phase"]
        return phase == "ROLLED_BACK"

    await eventually_async(taken_back, 30, "the route is taken back")
    assert (await site.hosts[acting].decisions("rollback"))[0]["author"] == AUTOMATIC


@pytest.mark.timeout(120 + 30 * ROUNDS)
async def test_whatever_happens(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """Versions never go back, an acknowledged rollback stays, and one version is in force at last.

    `ROUNDS=200 SEED=7` plays more, and others; what is not good names seed and round.
    """
    figures = Figures()
    for number, this in enumerate(islice(rounds(SEED, site.names), ROUNDS), 1):
        violations = await play(site, this, figures)
        assert violations == [], f"SEED={SEED}, round {number}: {this}"
    with capsys.disabled():
        sys.stdout.write(f"\n{ROUNDS} rounds, SEED={SEED}\n{figures}\n")
