from __future__ import annotations

import asyncio

import pytest

from proxy.control.bus.redis_place import (
    RoutingPlace,
    goes_on,
    read_down,
    until_one_ends,
    write_down,
)


def test_names_have_the_prefix_and_no_password_is_shown() -> None:
    """Several installations share a server; what is logged of one gives nothing away."""
    place = RoutingPlace("redis://:secret@h", "shop")
    assert (place.key, place.down) == ("shop:routing", "shop:routing:down")
    assert place.up == "shop:routing:up"
    assert "secret" not in repr(place)


def test_a_message_is_read_as_it_was_written() -> None:
    """Kind, token and payload."""
    assert read_down(write_down("snapshot", 7, {"version": 3})) == ("snapshot", 7, {"version": 3})


@pytest.mark.parametrize("data", [b"", b"{}", b"[1]", b'["snapshot", "7", {}]', b'["a", 1, []]'])
def test_what_a_stranger_says_is_refused(data: bytes) -> None:
    """It raises ValueError, whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"JSON|kind|unexpected|empty"):
        read_down(data)


async def test_when_one_job_fails_the_other_is_cancelled_and_the_task_goes_on() -> None:
    """So that a loop which asks whether it was cancelled itself builds the line once more."""
    ended: list[str] = []

    async def fails() -> None:
        raise OSError("gone")

    async def waits() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("waits")

    with pytest.raises(OSError, match="gone"):
        await until_one_ends(waits(), fails())
    assert ended == ["waits"]
    assert goes_on()


async def test_when_all_are_cancelled_none_is_left() -> None:
    """As at the end of a process."""
    ended: list[str] = []

    async def waits(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(name)

    task = asyncio.create_task(until_one_ends(waits("a"), waits("b")))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(ended) == ["a", "b"]
