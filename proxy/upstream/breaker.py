"""When a whole side is left alone: the failures of a short while, and a few trials after a pause.

- FAILURES: the share of the attempts in the window that failed is too large;
- TIME: the pause is over;
- FAILURE: a trial has failed;
- SUCCESSES: all trials have ended well.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from proxy.routing.upstream_rules import BreakerRules

SLICES: Final = 10
"""Parts of the window: what is older than the window is forgotten a part at a time."""


class State(StrEnum):
    """Whether attempts pass."""

    CLOSED = "CLOSED"  # all of them
    OPEN = "OPEN"  # none
    HALF_OPEN = "HALF_OPEN"  # a few trials


class Cause(StrEnum):
    """By what it changes."""

    FAILURES = "failures"
    TIME = "time"
    FAILURE = "failure"
    SUCCESSES = "successes"


TRANSITIONS: Mapping[State, Mapping[Cause, State]] = {
    State.CLOSED: {Cause.FAILURES: State.OPEN},
    State.OPEN: {Cause.TIME: State.HALF_OPEN},
    State.HALF_OPEN: {Cause.FAILURE: State.OPEN, Cause.SUCCESSES: State.CLOSED},
}


def table_text() -> str:
    """Print the table, one line for each move, for the documentation."""
    return "\n".join(
        f"{state:<9} {cause:<9} -> {after}"
        for state, causes in TRANSITIONS.items()
        for cause, after in causes.items()
    )


class Breaker:
    """One side as one worker sees it. Times are monotonic seconds, and never go back."""

    __slots__ = (
        "_bad", "_good", "_index", "_rules", "_successes", "_trials", "_until", "state",
    )  # fmt: skip

    def __init__(self, rules: BreakerRules) -> None:
        self.state = State.CLOSED
        self._rules: Final = rules
        self._good = [0] * SLICES
        self._bad = [0] * SLICES
        self._index = -1
        self._until = 0.0
        self._trials = 0
        self._successes = 0

    def admits(self, now: float) -> bool:
        """Whether an attempt may be made now; a trial counts as made.

        A trial may never be heard of again, because its client has left: after another pause there
        are new ones, so that the breaker cannot hang half open.
        """
        if self.state is State.CLOSED:
            return True
        if self.state is State.OPEN:
            if now < self._until:
                return False
            self._move(Cause.TIME)
            self._trials = self._successes = 0
        elif self._trials >= self._rules.trials and now >= self._until:
            self._trials = self._successes = 0
        if self._trials >= self._rules.trials:
            return False
        self._trials += 1
        self._until = now + self._rules.duration  # the pause begins with the last of them
        return True

    def report(self, now: float, *, bad: bool) -> bool:
        """Count how an attempt ended; says whether it opens the breaker.

        While it is open, what ends was begun before: it tells nothing new.
        """
        if self.state is State.CLOSED:
            return self._count(now, bad=bad)
        if self.state is State.OPEN:
            return False
        if bad:
            self._open(Cause.FAILURE, now)
            return True
        self._successes += 1
        if self._successes >= self._rules.trials:
            self._move(Cause.SUCCESSES)
            self._forget()
        return False

    def _count(self, now: float, *, bad: bool) -> bool:
        self._turn_to(int(now * SLICES / self._rules.window))
        (self._bad if bad else self._good)[self._index % SLICES] += 1
        if not bad:
            return False
        failed, attempts = sum(self._bad), sum(self._bad) + sum(self._good)
        if attempts < self._rules.min_attempts or failed < self._rules.failures * attempts:
            return False
        self._open(Cause.FAILURES, now)
        return True

    def _turn_to(self, index: int) -> None:
        """Empty the parts of the window that have passed since the last attempt."""
        for passed in range(max(self._index, index - SLICES) + 1, index + 1):
            self._good[passed % SLICES] = self._bad[passed % SLICES] = 0
        self._index = max(self._index, index)

    def _open(self, cause: Cause, now: float) -> None:
        self._move(cause)
        self._until = now + self._rules.duration

    def _forget(self) -> None:
        self._good = [0] * SLICES
        self._bad = [0] * SLICES

    def _move(self, cause: Cause) -> None:
        self.state = TRANSITIONS[self.state][cause]
