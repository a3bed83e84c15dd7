"""The event loops of these tests: what touches TLS runs on both, each with its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import pytest
import uvloop


def pytest_asyncio_loop_factories(
    item: pytest.Item,
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Run connections on the loop of production, too; the rest has no network."""
    factories: dict[str, Callable[[], asyncio.AbstractEventLoop]]
    factories = {"asyncio": asyncio.new_event_loop}
    if "test_connect." in item.nodeid:
        factories["uvloop"] = uvloop.new_event_loop
    return factories
