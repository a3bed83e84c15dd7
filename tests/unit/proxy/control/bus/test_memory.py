from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.control.bus.base import Bus
from proxy.control.bus.memory import MemoryBus, MemoryUplink
from tests.contracts.bus import HELLO, BusContract, Ears, NewUplink


class TestMemoryBus(BusContract):
    """The bus within one process."""

    @pytest.fixture
    def bus(self, ears: Ears) -> Bus:
        """Give a bus, not started."""
        return MemoryBus(ears.on_peer_message, ears.on_peer_state)

    @pytest.fixture
    def reopen(self, bus: Bus) -> Callable[[], Bus]:
        """Give the bus again, as its next start."""
        return lambda: bus

    @pytest.fixture
    def new_uplink(self) -> NewUplink:
        """Give uplinks."""

        def new(bus: Bus, worker: Ears) -> MemoryUplink:
            assert isinstance(bus, MemoryBus)
            return MemoryUplink(bus, HELLO, worker.on_message, worker.states.append)

        return new
