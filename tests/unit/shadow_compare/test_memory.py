from __future__ import annotations

from shadow_compare.memory import Memory
from shadow_compare.rules import CompareRules

EXACT = CompareRules()
OTHER = CompareRules.build(equivalences=["int_bool"])


def test_knowledge_lasts_as_long_as_the_rules() -> None:
    """The same rules find what was learnt, others start anew."""
    memory = Memory()
    known = memory.noise("plans", EXACT)
    assert memory.noise("plans", EXACT) is known
    assert memory.noise("users", EXACT) is not known
    assert memory.noise("plans", OTHER) is not known
    assert memory.noise("plans", EXACT) is not known


def test_routes_that_are_gone_are_forgotten() -> None:
    """So are those that are answered otherwise now."""
    memory = Memory()
    for route in ("plans", "users", "old"):
        memory.noise(route, EXACT)
    memory.keep({"plans": EXACT, "users": EXACT}, but=["users"])
    assert [route for route, _, _ in memory] == ["plans"]
