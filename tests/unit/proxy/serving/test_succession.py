from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import TypeVar

import pytest

from proxy.serving.succession import NEW, OLD, New, NewAct, NewEvent, Old, OldAct, OldEvent

Stage = TypeVar("Stage", bound=Enum)
Event = TypeVar("Event", bound=Enum)
Act = TypeVar("Act", bound=Enum)


def acts(
    table: Mapping[tuple[Stage, Event], tuple[Stage, Act]], stage: Stage, events: Iterable[Event]
) -> tuple[Stage, list[Act]]:
    """Go through these events; give where that ends, and what was done on the way."""
    done = []
    for event in events:
        if (found := table.get((stage, event))) is not None:
            stage, act = found
            done.append(act)
    return stage, done


def test_the_old_one_gives_way_in_three_steps() -> None:
    """What cannot be undone is the last of them."""
    events = [OldEvent.READY, OldEvent.ENDED, OldEvent.DONE]
    expected = [OldAct.END_REST, OldAct.FREE_ROLES, OldAct.RETIRE]
    assert acts(OLD, Old.CHECKING, events) == (Old.HANDED, expected)


@pytest.mark.parametrize("event", [OldEvent.FAILED, OldEvent.LATE])
@pytest.mark.parametrize("before", [0, 1, 2])
def test_until_then_every_failure_is_undone(before: int, event: OldEvent) -> None:
    """Once, and whatever is heard afterwards changes nothing more."""
    course = [OldEvent.READY, OldEvent.ENDED, OldEvent.DONE]
    stage, done = acts(OLD, Old.CHECKING, [*course[:before], event, *course, event])
    assert stage is Old.KEPT
    assert done[-1] is OldAct.TAKE_BACK
    assert len(done) == before + 1


def test_what_is_handed_over_is_not_taken_back() -> None:
    """Two services on one state directory would be worse than any upgrade."""
    assert acts(OLD, Old.HANDED, OldEvent) == (Old.HANDED, [])


def test_words_out_of_turn_do_nothing() -> None:
    """A successor that says it is done before it was given anything is not believed."""
    assert acts(OLD, Old.CHECKING, [OldEvent.DONE, OldEvent.ENDED]) == (Old.CHECKING, [])


@pytest.mark.parametrize("given", [NewEvent.YOURS, NewEvent.ORPHANED])
def test_the_new_one_takes_over_when_it_is_given_or_left_alone(given: NewEvent) -> None:
    """Not before its data plane serves."""
    events = [given, NewEvent.SERVING, given, NewEvent.COMPLETE]
    expected = [NewAct.SAY_READY, NewAct.TAKE_OVER, NewAct.OWN]
    assert acts(NEW, New.WARMING, events) == (New.OWNING, expected)


def test_left_alone_half_way_it_owns_at_once() -> None:
    """A controller that fails is then restarted, and not a reason to go."""
    events = [NewEvent.SERVING, NewEvent.YOURS, NewEvent.ORPHANED, NewEvent.FAILED]
    assert acts(NEW, New.WARMING, events)[0] is New.OWNING


@pytest.mark.parametrize("stage", [New.WARMING, New.WAITING, New.STARTING])
def test_the_new_one_retreats_when_it_fails(stage: New) -> None:
    """The old one still serves."""
    assert acts(NEW, stage, [NewEvent.FAILED]) == (New.GONE, [NewAct.RETREAT])
    assert acts(NEW, New.GONE, NewEvent) == (New.GONE, [])
