from __future__ import annotations

import asyncio

from shadow_compare.intake import CaptureQueue
from tests.support_shadow import a_capture


async def test_queue_gives_captures_in_order() -> None:
    """First in, first out."""
    queue = CaptureQueue(10, 1000)
    first, second = a_capture(id="1"), a_capture(id="2")
    assert queue.put(first)
    assert queue.put(second)
    assert [await queue.get(), await queue.get()] == [first, second]
    assert len(queue) == 0


async def test_queue_refuses_beyond_its_number() -> None:
    """One more than fits is refused at once, and fits again after one was taken."""
    queue = CaptureQueue(1, 1000)
    assert queue.put(a_capture())
    assert not queue.put(a_capture())
    await queue.get()
    assert queue.put(a_capture())


async def test_queue_refuses_beyond_its_bytes() -> None:
    """Few large answers fill the queue as many small ones do."""
    queue = CaptureQueue(10, 100)
    assert queue.put(a_capture(body=b"x" * 90))
    assert not queue.put(a_capture(body=b"x" * 11))
    assert queue.put(a_capture(body=b"x" * 10))


async def test_getting_waits_for_a_capture() -> None:
    """Whoever asks an empty queue gets the next capture that arrives."""
    queue = CaptureQueue(10, 1000)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    capture = a_capture()
    queue.put(capture)
    assert await waiting is capture
