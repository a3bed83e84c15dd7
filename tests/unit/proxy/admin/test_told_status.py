from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import orjson
import pytest

from proxy.admin.plain import status_plain
from proxy.admin.told_status import ToldStatus
from proxy.control.status import Status
from tests.support_console import FakeController


class Counted(FakeController):
    """A controller that counts how often it is looked over, which takes it a while."""

    def __init__(self) -> None:
        super().__init__(clock=lambda: 1_790_000_000.0)
        self.surveys = 0
        self.gone = False

    async def survey(self, *, plans: bool = True) -> Status:  # noqa: ARG002 - as the real one
        """Everything now, after a turn of the loop."""
        self.surveys += 1
        await asyncio.sleep(0)
        if self.gone:
            raise OSError("the controller has gone")
        return self.status()


def now() -> float:
    """Give the moment of the loop's clock."""
    return asyncio.get_running_loop().time()


async def test_it_is_the_status_and_its_version() -> None:
    """To the letter what would be written of it in one go."""
    controller = Counted()
    text, version = await ToldStatus(controller).since(now())
    assert json.loads(text) == json.loads(orjson.dumps(status_plain(controller.status())))
    assert version == controller.number


async def test_many_who_ask_at_once_are_answered_by_one_look() -> None:
    """And whoever leaves while it is written takes nothing from the others."""
    controller = Counted()
    told = ToldStatus(controller)
    asking = [asyncio.create_task(told.since(now())) for _ in range(50)]
    await asyncio.sleep(0)
    asking[0].cancel()
    found = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert len({each for each in found[1:] if isinstance(each, tuple)}) == 1
    assert controller.surveys == 1


async def test_what_is_old_enough_is_given_again_and_no_older() -> None:
    """Who wants it as of now gets it as of now, though it is just being written as of before."""
    controller = Counted()
    told = ToldStatus(controller)
    before = now()
    first = await told.since(before)
    assert await told.since(before) is first
    writing = asyncio.create_task(told.since(now()))
    await asyncio.sleep(0)
    controller.routes["plans"] = replace(controller.routes["plans"], weight_configured=7700)
    text = (await told.since(now())).text
    assert json.loads(text) == json.loads(orjson.dumps(status_plain(controller.status())))
    await writing
    assert controller.surveys in (2, 3)


async def test_only_what_is_new_is_written_again() -> None:
    """A route that stands still keeps its text; one that is gone is forgotten."""
    controller = Counted()
    told = ToldStatus(controller)
    await told.since(now())
    before = dict(told._routes)
    changed, gone, *others = controller.routes
    controller.routes[changed] = replace(controller.routes[changed], weight_configured=7700)
    del controller.routes[gone]
    await told.since(now())
    assert list(told._routes) == [changed, *others]
    assert told._routes[changed] is not before[changed]
    assert all(told._routes[name] is before[name] for name in others)


async def test_one_failure_is_not_for_ever() -> None:
    """Whoever waited is told; the next to ask is answered."""
    controller = Counted()
    told = ToldStatus(controller)
    controller.gone = True
    with pytest.raises(OSError, match="has gone"):
        await told.since(now())
    controller.gone = False
    assert (await told.since(now())).version == controller.number
