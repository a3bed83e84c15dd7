"""What PHP and Python say differently is found, may be declared equal, and hides nothing else."""

from __future__ import annotations

from collections.abc import Callable

import httpx

from deploy.stack import Stack
from tests.conftest import ModernApp
from tests.support import eventually_async
from tests.support_load import Request, ask_once
from tests.support_proxy import Plain, Proxy

DECLARED = "[number_as_string, int_bool, php_datetime, zero_date, empty_map_list]"
RULES = """\
version: 1
upstreams:
  legacy: {instances: ["http://127.0.0.1:8081"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
  modern: {instances: ["http://127.0.0.1:8082"], timeouts: {connect: 2s, response: 30s, idle: 4s}}
defaults:
  rollback: {error_rate: 100%, p95: 30s, mismatch_rate: 100%, window: 60s, min_requests: 20}
routes:
  - id: face
    match: {method: [GET], path: /api/*}
    weight: 0%
    mirror: {share: 100%}
    compare:
      equivalences: EQUIVALENCES
      critical: ["$.data[*].price", "$.data[*].amount"]
      arrays: {"$.data": {by: id}}
      ignore: [{path: $.meta.generated_at, reason: the clock, owner: test, until: 2030-01-01}]
  - id: rest
    match: {path: /*}
    weight: 0%
"""
READS = (
    "/api/plans",
    "/api/plans/4",
    *(f"/api/users/{number}" for number in range(1, 16)),
    *(f"/api/subscriptions?user_id={number}" for number in range(1, 12)),
    "/api/subscriptions/7",
    "/api/subscriptions?page=9999",
    *(f"/api/billing/history?user_id={number}" for number in range(1, 12)),
)
SEEDED = {
    "$.data[*].price",  # money as a string
    "$.data[*].amount",
    "$.data[*].is_active",  # a flag as 0 or 1
    "$.data.created_at",  # a time without a zone
    "$.data.last_login_at",  # a date that was never set
    "$.data.features",  # an empty object as a list
    "$.meta.filters",
}


def rules(equivalences: str) -> str:
    """Give rules that mirror every read."""
    return RULES.replace("EQUIVALENCES", equivalences)


async def read_all(proxy: Proxy) -> Plain:
    """Ask for everything once, and give the coverage once all of it has been compared."""
    before = (await proxy.route("face"))["coverage"]["compared"]
    for path in READS:
        answer = await ask_once(proxy.port, "person-1", Request(path=path))
        assert answer.side == "legacy", answer

    async def compared() -> Plain | None:
        coverage: Plain = (await proxy.route("face"))["coverage"]
        return coverage if coverage["compared"] >= before + len(READS) else None

    coverage = await eventually_async(compared, 30, "every read is compared")
    assert coverage is not None
    assert coverage["not_compared"] == {}
    return coverage


async def differences(proxy: Proxy) -> list[Plain]:
    """Give what the store holds, grouped."""
    listed: list[Plain] = (await proxy.get("/differences", route="face", limit=200))["differences"]
    return listed


async def test_seeded_differences_are_found_declared_and_watched_on(
    before_the_applications: Callable[[str], Proxy], stack: Stack, mortal_modern: ModernApp
) -> None:
    """Each spelling is found; declared, none is left; a cent too much on a price still is."""
    stack.restart("modern", env={"MODERN_FAULTS": "1"})
    proxy = before_the_applications(rules("[]"))
    await proxy.start()

    coverage = await read_all(proxy)
    mismatches = coverage["mismatch"]
    assert mismatches > len(READS) / 2

    async def all_kept() -> bool:
        return bool(sum(one["count"] for one in await differences(proxy)) == mismatches)

    await eventually_async(all_kept, 30, f"the store holds all {mismatches} mismatches")
    examples = {path: one for one in await differences(proxy) for path in one["paths"]}
    assert examples.keys() >= SEEDED
    assert examples["$.data[*].price"]["critical"]
    assert isinstance(examples["$.data[*].price"]["example_old"], str)
    assert not examples["$.data.created_at"]["critical"]

    await proxy.edit_rules(
        proxy.rules.read_text().replace("equivalences: []", f"equivalences: {DECLARED}")
    )
    coverage = await read_all(proxy)
    assert coverage["mismatch"] == 0
    assert coverage["match"] + coverage["ignored"] == coverage["compared"]

    known = {one["id"] for one in await differences(proxy)}
    fault = {"path": "/api/plans", "mode": "wrong"}
    async with httpx.AsyncClient(base_url=mortal_modern.base_url, trust_env=False) as client:
        assert (await client.put("/_faults", json=fault)).status_code == 200
    await ask_once(proxy.port, "person-1", Request(path="/api/plans"))

    async def news() -> list[Plain]:
        return [one for one in await differences(proxy) if one["id"] not in known]

    new = await eventually_async(news, 30, "the wrong price is found")
    assert new is not None
    assert {path for one in new for path in one["paths"] if one["critical"]} >= {"$.data[*].price"}
