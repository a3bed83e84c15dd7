"""A data plane without a network for each test, checked afterwards for anything left behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import pytest

from proxy.upstream.fake import turn
from tests.support_exchange import Scene


@pytest.fixture
async def scene() -> AsyncIterator[Callable[..., Scene]]:
    """Give a maker of scenes; whatever happened in one, nothing remains of its exchanges."""
    made: list[Scene] = []

    def make(*routes: object, **others: object) -> Scene:
        made.append(Scene(*routes, **others))  # type: ignore[arg-type] # passed through
        return made[-1]

    yield make
    for each in made:
        each.check_nothing_is_left()
        for connector in each.network.values():
            while connector.pending:
                await connector.refuse()
    await turn()
