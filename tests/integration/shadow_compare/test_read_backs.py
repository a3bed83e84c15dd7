"""Reading back after a write, on two sides that catch up, or do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from shadow_compare.config import MODERN, ShadowConfig, SideConfig
from shadow_compare.read_back import ReadBack
from shadow_compare.rules import CompareRules
from shadow_compare.translate import Translation
from tests.support import eventually_async
from tests.support_shadow import (
    Running,
    Side,
    a_capture,
    http_answer,
    listening,
    quick_settings,
    running_worker,
)

RULES = ReadBack("/orders/{id}", {}, {"id": ("id",)}, after=0.01, within=1.0)


@pytest.fixture
async def sides() -> AsyncIterator[dict[str, Side]]:
    """Give both sides, which answer {"status":"paid"}."""
    paid = http_answer(b'{"status":"paid"}')
    async with listening(Side(lambda _: paid)) as one, listening(Side(lambda _: paid)) as other:
        yield {"legacy": one, "modern": other}


@pytest.fixture
async def running(tmp_path: Path, sides: dict[str, Side]) -> AsyncIterator[Running]:
    """Give a worker that reads orders back, and mirrors no writes."""
    async with running_worker(tmp_path) as found:
        configure(found, sides, RULES)
        yield found


def configure(
    running: Running,
    sides: dict[str, Side],
    rules: ReadBack,
    routes: Mapping[str, CompareRules] | None = None,
) -> None:
    """Tell the worker what to read back, and how to compare."""
    where = {name: SideConfig((f"http://127.0.0.1:{side.port}",)) for name, side in sides.items()}
    running.worker.configure(ShadowConfig(7, where, routes or {}, read_backs={"create": rules}))


def a_write(**changes: object) -> bytes:
    """Give a POST that was answered with an id."""
    values = {
        "route": "create",
        "method": "POST",
        "target": "/orders",
        "status": 201,
        "body": b'{"id":5}',
    }
    return a_capture(**{**values, **changes}).encode()


async def ended(running: Running, *ends: tuple[str, str]) -> None:
    """Wait until the worker has told exactly this."""

    async def all_told() -> bool:
        return sorted(running.total()) == sorted(ends)

    await eventually_async(all_told, what=str(ends))


@pytest.mark.parametrize("primary", ["legacy", "modern"])
async def test_both_sides_are_read_and_are_the_same(
    running: Running, sides: dict[str, Side], primary: str
) -> None:
    """Whichever has served the write; each once, when the first look is enough."""
    await running.send(a_write(primary=primary))
    await ended(running, ("match", ""))
    for side in sides.values():
        assert [head.partition(" HTTP")[0] for head in side.heads] == ["GET /orders/5"]


async def test_a_side_is_asked_by_the_name_that_it_has_given(
    running: Running, sides: dict[str, Side]
) -> None:
    """What a read has taught holds for what is read back."""
    rules = CompareRules.build(correspond=[{"path": "$.id", "name": "order"}])
    place = Translation.build("path.id", "order", segment=1)
    configure(running, sides, replace(RULES, translate=(place,)), {"create": rules})
    paid = http_answer(b'{"id":"7f3a"}')
    sides["legacy"].reply, sides["modern"].reply = (
        lambda _: http_answer(b'{"id":5}'),
        lambda _: paid,
    )
    await running.send(a_capture(route="create", body=b'{"id":5}').encode())
    await ended(running, ("match", ""))
    await running.send(a_write())

    async def is_read_back() -> bool:
        return running.total() == {("match", ""): 2}

    await eventually_async(is_read_back)
    assert [side.heads[-1].partition(" HTTP")[0] for side in sides.values()] == [
        "GET /orders/5",
        "GET /orders/7f3a",
    ]


async def test_who_needs_a_while_to_catch_up_is_given_it(
    running: Running, sides: dict[str, Side]
) -> None:
    """A difference that is gone in time was none."""
    modern = sides["modern"]
    paid = modern.reply("")
    missing = http_answer(b"{}", "404 Not Found")
    modern.reply = lambda _: missing if len(modern.heads) < 3 else paid
    await running.send(a_write())
    await ended(running, ("match", ""))
    assert len(modern.heads) == 3


async def test_what_still_differs_at_the_end_is_a_mismatch_of_its_own(
    running: Running, sides: dict[str, Side]
) -> None:
    """Named for the read-back, apart from what is found in the answers to the writes."""
    sides["modern"].reply = lambda _: http_answer(b'{"status":"open"}')
    await running.send(a_write())
    await ended(running, ("mismatch", ""))
    assert len(sides["legacy"].heads) > 1

    async def stored() -> bool:
        return bool(await running.report.signatures())

    await eventually_async(stored)
    [found] = await running.report.signatures()
    assert (found.route, found.kinds, found.paths) == (
        "create", ("read_back value_changed",), ("$.status",),
    )  # fmt: skip
    detail = await running.report.signature(found.id)
    assert detail is not None
    assert "/orders/5" in detail.samples[0].curl


async def test_a_side_that_cannot_be_asked_is_asked_again(
    running: Running, sides: dict[str, Side]
) -> None:
    """Until time is up, and then the reason is told."""
    port = sides["modern"].port
    sides["modern"].port = 1
    configure(running, sides, RULES)
    await running.send(a_write())
    await ended(running, ("not_compared", "candidate_unreachable"))
    assert len(sides["legacy"].heads) > 1
    sides["modern"].port = port


@pytest.mark.parametrize(
    ("changes", "ends"),
    [
        ({"body": b"{}"}, [("not_compared", "no_id")]),
        ({"route": "other"}, [("not_compared", "unsafe_method")]),
    ],
)
async def test_what_cannot_be_read_back_says_why(
    running: Running,
    sides: dict[str, Side],
    changes: dict[str, object],
    ends: list[tuple[str, str]],
) -> None:
    """And nobody is asked."""
    await running.send(a_write(**changes))
    await ended(running, *ends)
    assert sides[MODERN].heads == []


async def test_a_refused_write_is_not_read_back(running: Running) -> None:
    """It has done nothing; there is nothing to tell."""
    await running.send(a_write(status=422), a_write())
    await ended(running, ("match", ""))
    assert running.counts == [("create", "legacy", "match", "", False, 1)]


async def test_no_more_wait_than_there_is_room_for(tmp_path: Path, sides: dict[str, Side]) -> None:
    """What comes when there is none is dropped; a worker that ends drops those that wait."""
    async with running_worker(tmp_path, quick_settings(read_backs_max=2)) as running:
        configure(running, sides, ReadBack("/orders/{id}", {}, {"id": ("id",)}, 60.0, 600.0))
        await running.send(*(a_write() for _ in range(3)))
        await ended(running, ("not_compared", "dropped"))
        assert running.total()["not_compared", "dropped"] == 1
    assert running.total()["not_compared", "dropped"] == 3
