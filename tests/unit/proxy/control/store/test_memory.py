from __future__ import annotations

import pytest

from proxy.control.store.memory import MemoryStore
from shadow_compare.store.errors import StoreError
from tests.contracts.store import StoreContract, version


class TestMemoryStore(StoreContract):
    """The store within the process."""

    @pytest.fixture
    def store(self) -> MemoryStore:
        """Give an empty store."""
        return MemoryStore()

    async def test_fails_when_told(self, store: MemoryStore) -> None:
        """The double can fail as a disk would."""
        store.problem = "disk full"
        with pytest.raises(StoreError, match="disk full"):
            await store.append(version(1))
        with pytest.raises(StoreError, match="disk full"):
            await store.check()

    async def test_loses_everything_when_told(self, store: MemoryStore) -> None:
        """The double can lose its file, and check tells."""
        await store.append(version(1))
        before = await store.check()
        store.lose_everything()
        assert await store.latest() is None
        assert await store.check() != before
