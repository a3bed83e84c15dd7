import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from modern.infra.resources import Resources
from modern.monitoring.domain import Health
from modern.monitoring.service import MonitoringService


async def well() -> None:
    """Answer at once."""


async def ill() -> None:
    """Refuse."""
    raise OSError("connection refused")


async def silent() -> None:
    """Never answer."""
    await asyncio.Event().wait()


def monitoring(database: Any, redis: Any) -> MonitoringService:  # any coroutine function
    """Make a service over two dependencies, which waits for none of them."""
    resources = SimpleNamespace(
        database=SimpleNamespace(ping=database), redis=SimpleNamespace(ping=redis)
    )
    return MonitoringService(cast("Resources", resources), patience=0.0)


@pytest.mark.parametrize(
    ("database", "redis", "health"),
    [
        (well, well, Health(database=True, redis=True)),
        (ill, well, Health(database=False, redis=True)),
        (well, ill, Health(database=True, redis=False)),
        (silent, well, Health(database=False, redis=True)),
        (well, silent, Health(database=True, redis=False)),
    ],
)
async def test_a_dependency_that_fails_or_is_silent_is_not_well(
    database: object, redis: object, health: Health
) -> None:
    """An error and no answer are the same; the other dependency is told of all the same."""
    assert await monitoring(database, redis).health() == health
