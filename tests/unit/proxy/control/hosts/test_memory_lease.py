from __future__ import annotations

import pytest

from proxy.clock import FakeClock
from proxy.control.hosts.lease import Lease
from proxy.control.hosts.memory_lease import MemoryLease, MemoryTable
from tests.contracts.lease import LeaseContract, Pass


class TestMemoryLease(LeaseContract):
    """The lease within one process."""

    @pytest.fixture
    def clock(self) -> FakeClock:
        """Give the clock of the database."""
        return FakeClock()

    @pytest.fixture
    def lease(self, clock: FakeClock) -> Lease:
        """Give a lease that nobody has."""
        return MemoryLease(MemoryTable(clock))

    @pytest.fixture
    def let_pass(self, clock: FakeClock) -> Pass:
        """Let time pass."""

        async def let_pass(seconds: float) -> None:
            clock.advance(seconds)

        return let_pass
