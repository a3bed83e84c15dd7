from __future__ import annotations

import pytest

from proxy.serving.child import BACKOFF_FIRST, BACKOFF_MAX, Child, backoff


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0.0), (1, 0.1), (2, 0.2), (3, 0.4), (4, 0.8), (5, 1.6), (6, 3.2), (7, 5.0), (8, 5.0)],
)
def test_each_short_life_doubles_the_wait(failures: int, seconds: float) -> None:
    """Up to a bound, so that a program that is mended is up again soon."""
    assert backoff(failures) == pytest.approx(seconds)


def test_the_wait_stays_bounded_for_ever() -> None:
    """A child that has died a million times breaks nothing."""
    assert backoff(10**6) == BACKOFF_MAX
    assert backoff(1) == BACKOFF_FIRST


def test_a_new_child_is_due_at_once() -> None:
    """And it has not failed yet."""
    child = Child("x", lambda: 0)
    assert (child.pid, child.failures, child.due) == (0, 0, 0.0)
