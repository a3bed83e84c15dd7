from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import httpx
import pytest

from shadow_compare.rules import CompareRules
from tests.conftest import LegacyApp, ModernApp
from tests.support import eventually_async
from tests.support_shadow import Running, a_capture, running_worker

READS = (
    "/api/plans",
    "/api/plans/1",
    "/api/plans/999",
    *(f"/api/users/{number}" for number in range(1, 40)),
    "/api/users/x",
    *(f"/api/subscriptions?user_id={number}" for number in range(1, 40)),
    "/api/subscriptions?status=cancelled&page=2",
    "/api/subscriptions?page=9999",
    "/api/subscriptions/7",
    *(f"/api/billing/history?user_id={number}" for number in range(1, 20)),
    "/api/billing/history",
    "/api/nothing",
)

DECLARED = CompareRules.build(
    equivalences=["number_as_string", "int_bool", "php_datetime", "zero_date", "empty_map_list"],
    arrays=[("$.data", "id")],
    ignore=[{"path": "$.meta.generated_at", "reason": "the clock"}],
)


@pytest.fixture
async def running(tmp_path: Path) -> AsyncIterator[Running]:
    """Give a worker."""
    async with running_worker(tmp_path) as found:
        yield found


async def mirror_all(
    running: Running, legacy: LegacyApp, modern: ModernApp, rules: Mapping[str, CompareRules]
) -> None:
    """Let legacy serve every read and the worker compare it, and wait until all are stored."""
    running.configure(_port(legacy.base_url), _port(modern.base_url), rules)
    async with httpx.AsyncClient(base_url=legacy.base_url, trust_env=False) as client:
        client.headers["accept-encoding"] = "identity"
        for target in READS:
            answer = await client.get(target)
            capture = a_capture(
                route="face",
                target=target,
                status=answer.status_code,
                headers=tuple(answer.headers.multi_items()),
                body=answer.content,
            )
            await running.send(capture.encode())

    async def all_stored() -> bool:
        return sum(each.eligible for each in await running.report.coverage()) == len(READS)

    await eventually_async(all_stored, deadline=60)


def _port(base_url: str) -> int:
    port = httpx.URL(base_url).port
    assert port
    return port


async def test_declared_spellings_leave_nothing_to_tell(
    running: Running, legacy_app: LegacyApp, modern_app: ModernApp
) -> None:
    """With the equivalences of the billing face every read compares, and none differs."""
    await mirror_all(running, legacy_app, modern_app, {"face": DECLARED})
    (coverage,) = await running.report.coverage()
    summaries = await running.report.signatures()
    found = [(each.paths, each.example_old, each.example_new) for each in summaries]
    assert found == []
    assert coverage.compared == len(READS)
    assert {*coverage.fired} >= {"number_as_string", "int_bool", "php_datetime", "zero_date"}


async def test_every_real_difference_is_found(
    running: Running, legacy_app: LegacyApp, modern_app: ModernApp
) -> None:
    """Without rules, each way in which PHP and Python differ shows up as a signature."""
    await mirror_all(running, legacy_app, modern_app, {})
    paths = {path for each in await running.report.signatures() for path in each.paths}
    assert paths >= {
        "$.data[*].price",  # money as a string
        "$.data[*].is_active",  # a flag as 0 or 1
        "$.data.created_at",  # a time without a zone
        "$.data.last_login_at",  # a date that was never set
        "$.meta.filters",  # an empty object as a list
        "$.meta.generated_at",  # the clock
    }
