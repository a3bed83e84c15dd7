from __future__ import annotations

import pytest

from tests.support import eventually, eventually_async


def test_the_first_true_answer_is_returned() -> None:
    """Polling ends with the answer itself, so that a test can look at it."""
    answers = iter([0, "", None, 7])
    assert eventually(lambda: next(answers)) == 7


def test_assertions_and_connection_errors_mean_not_yet() -> None:
    """A predicate may assert, or ask a server that is still away."""
    errors = iter([AssertionError("too early"), ConnectionRefusedError()])

    def predicate() -> bool:
        for error in errors:
            raise error
        return True

    assert eventually(predicate)


def test_the_message_tells_what_was_waited_for() -> None:
    """After the deadline the last answer and the last problem are shown."""
    with pytest.raises(AssertionError, match=r"not within 0 s: the weight is 50 .*None"):
        eventually(lambda: None, deadline=0, what="the weight is 50")


async def test_coroutines_are_awaited() -> None:
    """The other form waits without blocking the event loop."""
    answers = iter([0, 3])

    async def predicate() -> int:
        return next(answers)

    assert await eventually_async(predicate) == 3
