"""What tests of every part share."""

from __future__ import annotations

import inspect
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(predicate: Callable[[], T], deadline: float = 10, what: str = "") -> T:
    """Call until the answer is true and return it; raise AssertionError after the deadline (s).

    An AssertionError or OSError of the predicate counts as "not yet" and is shown at the end.
    """
    end = time.monotonic() + deadline
    while True:
        answer, problem = _attempt(predicate)
        if answer:
            return answer
        if time.monotonic() >= end:
            raise AssertionError(_message(predicate, deadline, what, answer)) from problem
        time.sleep(0.02)


async def eventually_async(
    predicate: Callable[[], Awaitable[T]], deadline: float = 10, what: str = ""
) -> T:
    """Do as eventually does, for a coroutine function, without blocking the event loop."""
    import asyncio

    end = time.monotonic() + deadline
    while True:
        problem: Exception | None = None
        answer: T | None = None
        try:
            answer = await predicate()
        except (AssertionError, OSError) as error:
            problem = error
        if answer:
            return answer
        if time.monotonic() >= end:
            raise AssertionError(_message(predicate, deadline, what, answer)) from problem
        await asyncio.sleep(0.02)


def _attempt(predicate: Callable[[], T]) -> tuple[T | None, Exception | None]:
    try:
        return predicate(), None
    except (AssertionError, OSError) as error:
        return None, error


def _message(predicate: Callable[..., object], deadline: float, what: str, answer: object) -> str:
    try:
        subject = what or inspect.getsource(predicate).strip()
    except (OSError, TypeError):
        subject = what or repr(predicate)
    return f"not within {deadline:g} s: {subject} (last answer: {answer!r})"
