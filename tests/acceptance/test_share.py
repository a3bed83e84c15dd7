"""The real applications behind one address: who is served by which, and what they say."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from deploy.stack import Stack
from deploy.stack.cutover import RULES
from tests.acceptance.test_dead_modern import rolled_back
from tests.conftest import ModernApp
from tests.support_load import Answer, Load, Request, ask_once, under_load
from tests.support_proxy import Proxy, bucket

COOKIE = "PHPSESSID"
PLANS = Request(path="/api/plans")
PEOPLE = [f"visitor{number}" for number in range(300)]


async def ask_plans(proxy: Proxy, identity: str) -> Answer:
    """Ask for the plans as one person."""
    answer = await ask_once(proxy.port, identity, PLANS, COOKIE)
    assert answer.status == 200, answer
    return answer


async def test_plans_come_from_both_sides_in_proportion(
    before_the_applications: Callable[[str], Proxy],
) -> None:
    """With the rules of this repository: the share is the weight, and everybody keeps a side."""
    proxy = before_the_applications(RULES.read_text())
    await proxy.start()
    sides: dict[str, str] = {}
    for percent in (10, 40):
        await proxy.set_weight(f"{percent}%", "plans")
        before, sides = sides, {p: (await ask_plans(proxy, p)).side for p in PEOPLE}
        chosen = {person for person, side in sides.items() if side == "modern"}
        assert chosen == {p for p in PEOPLE if bucket(p, COOKIE) < percent * 100}
        share, p = len(chosen) / len(PEOPLE), percent / 100
        assert abs(share - p) < 4 * (p * (1 - p) / len(PEOPLE)) ** 0.5
        assert {p for p, side in before.items() if side == "modern"} <= chosen
    for person in PEOPLE[::10]:
        assert (await ask_plans(proxy, person)).side == sides[person]


def as_modern_spells(plan: dict[str, Any]) -> dict[str, Any]:
    """Write a plan of legacy as docs/billing-face.md says that modern writes it."""
    return {
        **plan,
        "price": float(plan["price"]),
        "is_active": bool(plan["is_active"]),
        "created_at": plan["created_at"].replace(" ", "T") + "+00:00",
        "features": plan["features"] or {},
    }


async def test_the_two_answers_differ_only_as_documented(
    before_the_applications: Callable[[str], Proxy],
) -> None:
    """Same fields in the same order, same values but for the listed spellings and the clock.

    What stands in `features` is a map of its own, of which PostgreSQL keeps no order.
    """
    proxy = before_the_applications(RULES.read_text())
    await proxy.start()
    await proxy.set_weight("50%", "plans")
    given = [await ask_plans(proxy, person) for person in PEOPLE[:20]]
    answers = {answer.side: answer for answer in given}
    old, new = (json.loads(answers[side].body) for side in ("legacy", "modern"))
    assert old["data"] != new["data"]
    expected = {**old, "data": [as_modern_spells(plan) for plan in old["data"]]}
    for answer in (expected, new):
        del answer["meta"]["generated_at"]
    assert expected == new
    assert [list(plan) for plan in expected["data"]] == [list(plan) for plan in new["data"]]
    assert list(expected) == list(new) == ["status", "data", "meta"]
    kind = "application/json; charset=utf-8"
    assert {answer.headers["content-type"].lower() for answer in answers.values()} == {kind}


async def test_readers_survive_the_death_of_the_real_modern(
    before_the_applications: Callable[[str], Proxy], stack: Stack, mortal_modern: ModernApp
) -> None:
    """SIGKILL to uvicorn under load: PHP takes over, nobody sees an error, the route is back."""
    assert mortal_modern.base_url.endswith(str(stack.ports.modern))
    proxy = before_the_applications(RULES.read_text())
    await proxy.start()
    await proxy.set_weight("50%", "plans")
    async with under_load(Load(proxy.port, 12, lambda: PLANS, cookie=COOKIE)) as load:
        await load.reached(200)
        stack.modern.kill()
        decision = await rolled_back(proxy, "plans")
        await proxy.settled(decision["version"])
        seen = len(load.answers)
        await load.reached(200)
    assert load.failed == []
    assert load.sides["modern"] > 0
    assert {answer.side for answer in load.answers[seen + 12 :]} == {"legacy"}
