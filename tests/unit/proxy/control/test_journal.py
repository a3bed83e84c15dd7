from __future__ import annotations

import asyncio

import pytest

from proxy.control.chain import Link
from proxy.control.journal import REMEMBERED, Journal
from proxy.control.status import DecisionRecord, VersionRecord
from proxy.control.store.memory import MemoryStore
from proxy.errors import UnwrittenError
from tests.contracts.store import decision, version


@pytest.fixture
def store() -> MemoryStore:
    """Give an empty store."""
    return MemoryStore()


@pytest.fixture
async def journal(store: MemoryStore) -> Journal:
    """Give a journal that holds version 1."""
    journal = Journal(store)
    assert await journal.open(None) is None
    journal.add(version(1), decision(1))
    await journal.flush()
    return journal


async def test_written_in_order(journal: Journal, store: MemoryStore) -> None:
    """What is added is written at the next flush, in order."""
    journal.add(version(2), decision(2))
    journal.add(None, decision(3))
    assert journal.unwritten.is_set()
    await journal.flush()
    assert not journal.unwritten.is_set()
    assert [r.number for r in await store.versions()] == [2, 1]
    assert [r.id for r in await store.decisions()] == [3, 2, 1]
    assert journal.last_decision == 3


async def test_store_out_of_order_and_back(journal: Journal, store: MemoryStore) -> None:
    """While the store fails everything is remembered; when it works again everything is written."""
    store.problem = "disk full"
    journal.add(version(2), decision(2))
    await journal.flush()
    problems = [journal.problem]
    assert [r.number for r in await journal.versions(10, None)] == [2, 1]
    assert [r.id for r in await journal.decisions(10, "plans", None)] == [2, 1]
    assert await journal.version(2) == version(2)
    assert await journal.decision(2) == decision(2)
    store.problem = None
    await journal.flush()
    problems.append(journal.problem)
    assert problems == ["disk full", None]
    assert await store.latest() == version(2)


async def test_store_that_lost_its_file(journal: Journal, store: MemoryStore) -> None:
    """A store that is suddenly empty gets back what is remembered."""
    store.lose_everything()
    await journal.flush()
    assert await store.latest() == version(1)
    assert await store.decision(1) == decision(1)


async def test_lost_with_something_unwritten(journal: Journal, store: MemoryStore) -> None:
    """What was not written when the file was lost is written once, not twice."""
    store.lose_everything()
    journal.add(version(2), decision(2))
    await journal.flush()
    assert [r.number for r in await store.versions()] == [2, 1]
    journal.add(version(3), decision(3))
    await journal.flush()
    assert [r.number for r in await store.versions()] == [3, 2, 1]


async def test_written_although_a_failure_was_told(journal: Journal, store: MemoryStore) -> None:
    """A record that reached the store although it reported a failure is no conflict."""
    await store.append(version(2), decision(2))
    journal.add(version(2), decision(2))
    journal.add(version(3), decision(3))
    await journal.flush()
    assert journal.problem is None
    assert [r.number for r in await store.versions()] == [3, 2, 1]


async def test_file_put_back_from_a_copy(journal: Journal, store: MemoryStore) -> None:
    """A store that went back in time, unnoticed, gets the versions it lacks."""
    journal.add(version(2))
    journal.add(version(3))
    await journal.flush()
    del store._versions[3]
    journal.add(version(4))
    await journal.flush()
    assert journal.problem is None
    assert [r.number for r in await store.versions()] == [4, 3, 2, 1]


async def test_open_prefers_the_newer_memory(store: MemoryStore) -> None:
    """Of store and second memory the newer wins, and the store gets it."""
    await store.append(version(1), decision(4))
    journal = Journal(store)
    assert await journal.open(version(3)) == version(3)
    assert journal.last_decision == 4
    await journal.flush()
    assert await store.latest() == version(3)
    journal.add(version(4))
    await journal.flush()
    assert await store.latest() == version(4)
    assert await Journal(store).open(version(3)) == version(4)


async def test_open_without_a_store(store: MemoryStore) -> None:
    """A broken store is no obstacle to a start."""
    store.problem = "no such directory"
    journal = Journal(store)
    assert await journal.open(version(3)) == version(3)
    assert journal.problem == "no such directory"
    assert journal.last_decision == 3


async def test_memory_is_bounded(journal: Journal, store: MemoryStore) -> None:
    """A store that stays away for long does not fill the memory."""
    store.problem = "disk full"
    for number in range(2, REMEMBERED + 100):
        journal.add(version(number), decision(number))
    await journal.flush()
    assert len(await journal.versions(10_000, None)) == REMEMBERED
    store.problem = None
    await journal.flush()
    assert journal.problem is None
    assert await store.latest() == version(REMEMBERED + 99)


async def test_paging_goes_from_memory_into_the_store(journal: Journal, store: MemoryStore) -> None:
    """A page may begin in memory and go on in the store."""
    again = Journal(store)
    await again.open(None)
    again.add(version(2), decision(2))
    assert [r.number for r in await again.versions(5, None)] == [2, 1]
    assert [r.id for r in await again.decisions(5, None, 2)] == [1]
    await journal.close()


async def test_where_the_store_binds_nothing_is_confirmed_without_it(store: MemoryStore) -> None:
    """Among many hosts a change counts as done when the store has it, and not before."""
    journal = Journal(store, binding=True)
    await journal.open(None)
    journal.add(version(1), decision(1))
    await journal.confirm()
    journal.add(version(2), decision(2))
    store.problem = "no route to host"
    with pytest.raises(UnwrittenError, match="no route to host"):
        await journal.confirm()
    store.problem = None
    await journal.confirm()
    assert [each.number for each in await store.versions()] == [2, 1]


async def test_where_the_store_binds_nobody_begins_without_it(store: MemoryStore) -> None:
    """Others may have gone further than what is remembered here."""
    store.problem = "no route to host"
    with pytest.raises(UnwrittenError, match="no route to host"):
        await Journal(store, binding=True).open(version(1))


class ChainedStore(MemoryStore):
    """One that keeps a chain, whose hashes are easily told."""

    def __init__(self) -> None:
        super().__init__()
        self.entries = 0

    async def append(
        self, version: VersionRecord | None = None, decision: DecisionRecord | None = None
    ) -> Link | None:
        """Keep records as the next entry."""
        await super().append(version, decision)
        self.entries += 1
        return Link(self.entries, "c" * 64)


async def test_where_a_decision_stands_in_the_chain() -> None:
    """Who asks before it is written waits for that; nobody waits for ever."""
    journal = Journal(ChainedStore())
    await journal.open(None)
    journal.add(version(1), decision(1))
    waiting = asyncio.create_task(journal.entry(1, within=60.0))
    await asyncio.sleep(0)
    await journal.flush()
    assert await waiting == Link(1, "c" * 64)
    assert await journal.entry(2, within=0.0) is None


async def test_a_store_without_a_chain_has_no_entries(journal: Journal) -> None:
    """Nor has one that fails."""
    assert await journal.entry(1, within=0.0) is None


async def test_only_the_newest_entries_are_remembered() -> None:
    """Memory is bounded."""
    journal = Journal(ChainedStore())
    await journal.open(None)
    for number in range(1, REMEMBERED + 3):
        journal.add(None, decision(number))
        await journal.flush()
    known = [await journal.entry(number, within=0.0) for number in (2, 3, REMEMBERED + 2)]
    assert [link is not None for link in known] == [False, True, True]
