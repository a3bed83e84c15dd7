from __future__ import annotations

import asyncio

from shadow_compare.evidence import NOWHERE, Fact
from shadow_compare.noise import Place
from shadow_compare.report import Report
from shadow_compare.store.database import Database
from shadow_compare.store.evidence import FADES, EvidenceStore

AT = Place("value", "$.at")
NOW = 1_790_000_000.0


def facts(rules: str = "r1", route: str = "plans", times: int = 1) -> dict[Fact, int]:
    """Give what speaks for noise at one place."""
    return {
        Fact(route, rules, "", "", "baselines"): 10 * times,
        Fact(route, rules, *AT, "disagreed"): 4 * times,
    }


async def test_workers_add_up_to_proposals(database: Database) -> None:
    """What several workers saw at one moment is summed, and the report proposes from the sum."""
    workers = [EvidenceStore(database) for _ in range(4)]
    await asyncio.gather(*(worker.add(facts(), NOW) for worker in workers))
    found = await workers[0].facts("plans")
    assert found == {"plans": {NOWHERE: {"baselines": 40}, AT: {"disagreed": 16}}}
    (proposal,) = await Report(database).proposals()
    assert (proposal.route, proposal.section, proposal.path) == ("plans", "ignore", "$.at")
    assert proposal.evidence["rate"] == 0.4
    assert await Report(database).proposals("other") == []


async def test_evidence_of_earlier_rules_proposes_nothing(database: Database) -> None:
    """As soon as something was seen under new rules, what was seen under the old is history."""
    store = EvidenceStore(database)
    await store.add(facts("r1"), NOW)
    await store.add({Fact("plans", "r2", "", "", "compared"): 1}, NOW + 1)
    await store.add(facts("r1", "users"), NOW)
    assert [each.route for each in await Report(database).proposals()] == ["users"]


async def test_what_is_not_seen_again_is_forgotten(database: Database) -> None:
    """Old facts go, fresh ones stay."""
    store = EvidenceStore(database)
    await store.add(facts(route="old"), NOW)
    await store.add(facts(route="new"), NOW + FADES)
    await store.prune(NOW + FADES + 1)
    assert list(await store.facts()) == ["new"]
