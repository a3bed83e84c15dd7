"""A route that learns: clocks, ids and another spelling, then one word that is really different."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from shadow_compare.config import LEGACY, MODERN
from shadow_compare.rules import CompareRules
from tests.support import eventually_async
from tests.support_shadow import (
    JSON,
    Running,
    Side,
    a_capture,
    http_answer,
    listening,
    quick_settings,
    running_worker,
)

REQUESTS = 60
USERS = 5
BOTH = [LEGACY, MODERN]


def legacy_page(user: int, tick: int, word: str = "Welcome") -> dict[str, Any]:
    """Give what PHP says: numbers in texts, ids that count, the time of the answer."""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(1_790_000_000 + tick // 3))
    return {"id": 900 + user, "price": "9.90", "at": at, "visits": tick, "title": word}


def modern_page(user: int, tick: int, word: str = "Welcome") -> dict[str, Any]:
    """Give what modern says of the same user."""
    return {**legacy_page(user, tick, word), "id": f"u-{user:04x}", "price": 9.9}


def answering(page: Callable[..., dict[str, Any]], word: str = "Welcome") -> Callable[[str], bytes]:
    """Answer each request by the user in its target, a third of a second later each time."""
    ticks = itertools.count(1)
    return lambda head: http_answer(
        json.dumps(page(int(head.split(" ")[1].rpartition("=")[2]), next(ticks), word)).encode()
    )


async def exchanges(running: Running, first: int, number: int) -> dict[tuple[str, str], int]:
    """Mirror so many requests of the users in turn; gives how they ended."""
    before = running.total()
    for n in range(first, first + number):
        user = n % USERS
        body = json.dumps(legacy_page(user, n)).encode()
        capture = a_capture(target=f"/me?user={user}", body=body, headers=JSON)
        await running.send(capture.encode())

    async def all_told() -> bool:
        return sum(running.total().values()) == sum(before.values()) + number

    await eventually_async(all_told)
    return {k: n - before.get(k, 0) for k, n in running.total().items() if n != before.get(k, 0)}


async def test_what_is_proposed_is_enough_and_hides_nothing(tmp_path: Path) -> None:
    """After the proposals are accepted nothing differs; then one word does, and only that shows."""
    settings = quick_settings(evidence_interval=0.02, baselines_per_second=1_000)
    legacy, modern = Side(answering(legacy_page)), Side(answering(modern_page))
    async with (
        listening(legacy),
        listening(modern),
        running_worker(tmp_path, settings) as running,
    ):
        strict = CompareRules.build(noise=0.1, baselines=BOTH)
        running.configure(legacy.port, modern.port, {"plans": strict})
        assert set(await exchanges(running, 0, REQUESTS)) == {("mismatch", "")}

        async def proposed() -> bool:
            found = {each.section for each in await running.report.proposals("plans")}
            return found == {"ignore", "tolerances", "equivalences", "correspond"}

        await eventually_async(proposed)
        entries: dict[str, list[Any]] = {}
        for proposal in await running.report.proposals("plans"):
            entries.setdefault(proposal.section, []).append(proposal.value)
        assert entries["correspond"] == [{"path": "$.id"}]
        assert entries["equivalences"] == [{"name": "number_as_string", "at": ["$.price"]}]
        assert entries["tolerances"] == [{"$.at": {"time": "60s"}}]
        assert [each["path"] for each in entries["ignore"]] == ["$.visits"]

        accepted = CompareRules.build(
            noise=0.1,
            baselines=BOTH,
            correspond=entries["correspond"],
            equivalences=entries["equivalences"],
            tolerances=[{"path": "$.at", "time": 60.0}],
            ignore=entries["ignore"],
        )
        running.configure(legacy.port, modern.port, {"plans": accepted}, version=8)
        learnt = await exchanges(running, REQUESTS, REQUESTS)
        assert set(learnt) == {("ignored", "rules")}

        modern.reply = answering(modern_page, "Wellcome")
        assert set(await exchanges(running, 2 * REQUESTS, 10)) == {("mismatch", "")}

        async def stored() -> bool:
            groups = await running.report.signatures()
            return any(each.paths == ("$.title",) and each.count == 10 for each in groups)

        await eventually_async(stored)
