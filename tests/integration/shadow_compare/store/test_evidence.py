from __future__ import annotations

import asyncio

from shadow_compare.evidence import Fact
from shadow_compare.noise import Place
from shadow_compare.report import Report
from shadow_compare.store.database import Database
from shadow_compare.store.evidence import FADES, EvidenceStore, Known

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
    found = await workers[0].strong("plans")
    assert found == [Known("plans", AT, {"disagreed": 16}, {"baselines": 40})]
    (proposal,) = await Report(database).proposals()
    assert (proposal.route, proposal.section, proposal.path) == ("plans", "ignore", "$.at")
    assert proposal.evidence["rate"] == 0.4
    assert await Report(database).proposals("other") == []
    assert await Report(database).proposal(proposal.id) == proposal
    assert await Report(database).proposal("0" * 16) is None


async def test_proposals_are_read_page_by_page(database: Database) -> None:
    """Over all routes what was seen most comes first."""
    store = EvidenceStore(database)
    for number, route in enumerate(("a", "b", "c"), start=1):
        await store.add(facts(route=route, times=number), NOW)
    report = Report(database)
    assert [each.route for each in await report.proposals(limit=2)] == ["c", "b"]
    assert [each.route for each in await report.proposals(limit=2, offset=2)] == ["a"]


async def test_what_was_seen_most_comes_first_and_each_once(database: Database) -> None:
    """A place that varies in value and in type gets one ignore rule; weak ones none."""
    counts = {
        ("", "", "baselines"): 100,
        ("", "", "compared"): 500,
        ("value", "$.a", "disagreed"): 5,
        ("value", "$.b", "disagreed"): 90,
        ("type", "$.b", "disagreed"): 10,
        ("value", "$.c", "disagreed"): 2,
        ("value", "$.c", "looked_at"): 40,
        ("value", "$.c", "int_bool"): 40,
        ("value", "$.d", "looked_at"): 80,  # nothing explains them
        ("value", "$.e", "disagreed"): 2,
    }
    await EvidenceStore(database).add({Fact("r", "1", *key): n for key, n in counts.items()}, NOW)
    report = Report(database)
    for limit in (1, 2, 3, 50):
        found = await report.proposals(limit=limit)
        wanted = [("ignore", "$.b"), ("equivalences", "$.c"), ("ignore", "$.a")]
        assert [(each.section, each.path) for each in found] == wanted[:limit]
        assert [await report.proposal(each.id) for each in found] == found
    assert found[0].evidence["disagreed"] == 90
    assert await report.proposals(limit=5, offset=3) == []


async def test_evidence_of_earlier_rules_proposes_nothing(database: Database) -> None:
    """As soon as something was seen under new rules, what was seen under the old is history."""
    store = EvidenceStore(database)
    await store.add(facts("r1", times=9), NOW)
    await store.add({Fact("plans", "r2", "", "", "compared"): 1}, NOW + 1)
    await store.add(facts("r1", "users"), NOW)
    for limit in (1, 50):
        found = await Report(database).proposals(limit=limit)
        assert [each.route for each in found] == ["users"]
    assert await Report(database).proposals("nowhere") == []


async def test_what_is_not_seen_again_is_forgotten(database: Database) -> None:
    """Old facts go, fresh ones stay."""
    store = EvidenceStore(database)
    await store.add(facts(route="old"), NOW)
    await store.add(facts(route="new"), NOW + FADES)
    await store.prune(NOW + FADES + 1)
    assert [known.route for known in await store.strong()] == ["new"]
