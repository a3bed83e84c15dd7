from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from proxy.routing.upstream_rules import BreakerRules
from proxy.upstream.breaker import SLICES, TRANSITIONS, Breaker, State, table_text
from tests.support_docs import read

NOW = 1000.0
RULES = BreakerRules(failures=0.5, min_attempts=10, window=10.0, duration=5.0, trials=2)


def opened() -> Breaker:
    """Give a breaker that has just opened."""
    breaker = Breaker(RULES)
    assert [breaker.report(NOW, bad=True) for _ in range(10)] == [False] * 9 + [True]
    return breaker


def test_it_opens_when_enough_has_failed() -> None:
    """The share at least, of as many attempts at least."""
    breaker = Breaker(RULES)
    for _ in range(5):
        breaker.report(NOW, bad=False)
    assert [breaker.report(NOW, bad=True) for _ in range(5)] == [False] * 4 + [True]
    assert breaker.state is State.OPEN


def test_a_smaller_share_does_not_open_it() -> None:
    """However many attempts there are."""
    breaker = Breaker(RULES)
    for _ in range(1000):
        breaker.report(NOW, bad=False)
        breaker.report(NOW, bad=False)
        assert not breaker.report(NOW, bad=True)


def test_what_is_older_than_the_window_does_not_count() -> None:
    """Nine failures now and one later are no ten at once."""
    breaker = Breaker(RULES)
    for _ in range(9):
        breaker.report(NOW, bad=True)
    assert not breaker.report(NOW + 10.0, bad=True)


def test_the_window_moves_on_a_part_at_a_time() -> None:
    """A failure each second stays below ten within ten seconds for ever."""
    breaker = Breaker(RULES)
    step = RULES.window / SLICES * 1.2
    assert not any(breaker.report(NOW + step * turn, bad=True) for turn in range(500))


def test_an_open_one_lets_nothing_through() -> None:
    """Until its pause is over."""
    breaker = opened()
    assert not any(breaker.admits(NOW + seconds) for seconds in (0.0, 2.5, 4.9))


def test_what_began_before_it_opened_tells_nothing_new() -> None:
    """Neither good nor bad."""
    breaker = opened()
    assert not any(breaker.report(NOW + 1, bad=bad) for bad in (True, False, True))
    assert breaker.state is State.OPEN


def test_after_the_pause_a_few_trials_decide() -> None:
    """As many as the rules say; if all end well it closes, with a clean slate."""
    breaker = opened()
    assert [breaker.admits(NOW + 5) for _ in range(3)] == [True, True, False]
    states = [breaker.state]
    breaker.report(NOW + 5, bad=False)
    assert not breaker.admits(NOW + 5)
    breaker.report(NOW + 5, bad=False)
    states.append(breaker.state)
    assert states == [State.HALF_OPEN, State.CLOSED]
    assert not any(breaker.report(NOW + 5, bad=True) for _ in range(9))


def test_a_trial_that_fails_opens_it_again() -> None:
    """For another pause."""
    breaker = opened()
    assert breaker.admits(NOW + 5)
    assert breaker.report(NOW + 6, bad=True)
    assert not breaker.admits(NOW + 10.9)
    assert breaker.admits(NOW + 11)


def test_trials_that_are_never_heard_of_again_are_replaced() -> None:
    """Their clients have left; another pause later there are new ones."""
    breaker = opened()
    assert [breaker.admits(NOW + 5) for _ in range(2)] == [True, True]
    assert not breaker.admits(NOW + 9.9)
    assert [breaker.admits(NOW + 10) for _ in range(3)] == [True, True, False]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_ends_of_the_scale(share: float) -> None:
    """0% opens at the first failure once there are enough attempts, 100% when all have failed."""
    breaker = Breaker(BreakerRules(failures=share, min_attempts=2))
    breaker.report(NOW, bad=False)
    assert breaker.report(NOW, bad=True) is (share == 0.0)
    every = Breaker(BreakerRules(failures=share, min_attempts=2))
    assert [every.report(NOW, bad=True) for _ in range(2)] == [False, True]


def test_the_table_is_complete_and_documented() -> None:
    """Every state has its row, and the documentation shows the table as it is."""
    assert set(TRANSITIONS) == set(State)
    assert table_text() in read("upstreams.md")


def test_a_late_last_trial_is_not_followed_by_new_ones_at_once() -> None:
    """The pause after which trials are given up for lost begins with the last of them."""
    breaker = Breaker(RULES)
    while breaker.state is State.CLOSED:
        breaker.report(NOW, bad=True)
    opened = NOW + RULES.duration
    assert breaker.admits(opened)
    late = opened + RULES.duration + 1
    assert [breaker.admits(late) for _ in range(4)] == [True, False, False, False]
    assert breaker.admits(late + RULES.duration)


class AnySequence(RuleBasedStateMachine):
    """Does anything in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.breaker, self.now, self.trials = Breaker(RULES), NOW, 0

    @rule(bad=st.booleans(), count=st.integers(1, 12))
    def report(self, bad: bool, count: int) -> None:
        """Attempts end."""
        for _ in range(count):
            before = self.breaker.state
            told = self.breaker.report(self.now, bad=bad)
            assert told is (before is not State.OPEN and self.breaker.state is State.OPEN)

    @rule(count=st.integers(1, 5))
    def ask(self, count: int) -> None:
        """Attempts are to be made: when it is not closed, never more than the trials at once."""
        admitted = [self.breaker.admits(self.now) for _ in range(count)]
        if self.breaker.state is State.CLOSED:
            assert all(admitted)
        else:
            assert sum(admitted) <= RULES.trials

    @rule(seconds=st.sampled_from([0.3, 1.0, 5.0, 60.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.now += seconds

    @invariant()
    def it_never_stays_shut_for_longer_than_a_pause(self) -> None:
        """Whatever happened, an attempt is let through after a pause: it cannot hang."""
        copied = Breaker(RULES)
        for name in dir(Breaker):  # `__slots__` is something that only the source has
            value = getattr(self.breaker, name)
            if name.startswith("__") or name == "_rules" or callable(value):
                continue
            setattr(copied, name, list(value) if isinstance(value, list) else value)
        assert copied.admits(self.now + RULES.duration)


TestAnySequence = AnySequence.TestCase
TestAnySequence.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
