from dataclasses import dataclass

import pytest

from modern.infra.cache_store import MemoryStore
from tests.contracts.cache_store import CacheStoreContract, Wait


@dataclass
class Clock:
    """A clock that stands until it is moved."""

    now: float = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Give a clock."""
    return Clock()


class TestMemoryStore(CacheStoreContract):
    """The double keeps the contract that Redis keeps."""

    @pytest.fixture
    def store(self, clock: Clock) -> MemoryStore:
        """Give an empty store."""
        return MemoryStore(clock)

    @pytest.fixture
    def wait(self, clock: Clock) -> Wait:
        """Give a way to let time pass."""

        async def move(seconds: float) -> None:
            clock.now += seconds

        return move
