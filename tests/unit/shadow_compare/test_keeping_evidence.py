from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from shadow_compare.compare import compare_json
from shadow_compare.evidence import Evidence, Fact
from shadow_compare.keeping_evidence import EvidenceKeeper
from shadow_compare.rules import CompareRules
from shadow_compare.store.errors import StoreError
from shadow_compare.store.evidence import EvidenceStore


class BrokenAtFirst(EvidenceStore):
    """A store that fails once."""

    def __init__(self) -> None:
        self.kept: list[Mapping[Fact, int]] = []
        self._broken = True

    async def add(self, counts: Mapping[Fact, int], now: float) -> None:  # noqa: ARG002 - as told
        """Keep counts, but for the first time."""
        if self._broken:
            self._broken = False
            raise StoreError("not now")
        self.kept.append(counts)


async def test_what_cannot_be_stored_waits() -> None:
    """A failure is told, and its counts come with the next ones."""
    evidence, store, failures = Evidence(), BrokenAtFirst(), list[Exception]()
    keeper = EvidenceKeeper(evidence, store, failures.append, lambda: 1.0)
    same = compare_json(b"{}", b"{ }", CompareRules(), date(2026, 1, 1))
    evidence.candidate("plans", CompareRules(), same)
    await keeper.flush()
    assert [str(each) for each in failures] == ["not now"]
    evidence.candidate("plans", CompareRules(), same)
    await keeper.flush()
    assert [list(each.values()) for each in store.kept] == [[2]]
